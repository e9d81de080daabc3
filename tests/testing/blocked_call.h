#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "testing/wait_until.h"

namespace dualdepth::testing {

// Returns whether this thread of the process (gettid()) sleeps in the kernel, as one does that
// waits on a condition variable.
inline bool is_asleep(pid_t thread) {
  std::ifstream stream("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string line;
  std::getline(stream, line);
  const size_t name_end = line.rfind(')');  // "ID (NAME) STATE ..."
  return name_end != std::string::npos && line.compare(name_end, 3, ") S") == 0;
}

// Runs `call` on a thread of its own and returns its future once that thread sleeps; fails the test
// when it does not block. The thread is detached, so that a call that never returns fails its test
// instead of hanging it: `call` owns what it works on.
template <class Call>
auto begin_blocked_call(Call call) {
  std::packaged_task<decltype(call())()> task(std::move(call));
  auto result = task.get_future();
  const auto id = std::make_shared<std::atomic<pid_t>>(0);
  std::thread([task = std::move(task), id]() mutable {
    *id = ::gettid();
    task();
  }).detach();
  const auto blocked = [&] { return *id != 0 && is_asleep(*id); };
  EXPECT_TRUE(wait_until(blocked, std::chrono::seconds(10))) << "the call did not block";
  return result;
}

// Returns whether the call has returned or does so within 10 s.
template <class Result>
bool returns(const std::future<Result>& call) {
  return call.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
}

}  // namespace dualdepth::testing
