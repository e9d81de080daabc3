#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace dualdepth::testing {

// Waits until `condition` holds, asking once a millisecond. Returns false when it does not hold
// within `limit`, so that a test fails instead of hanging.
inline bool wait_until(const std::function<bool()>& condition,
                       std::chrono::seconds limit = std::chrono::seconds(60)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace dualdepth::testing
