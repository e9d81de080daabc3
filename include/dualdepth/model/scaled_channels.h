#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace dualdepth {

// Returns channels * width, rounded to a multiple of 8 and at least 8: what the vectors of CPUs and
// NPUs hold (the width multiplier of Howard et al., "MobileNets", 2017).
inline int64_t scaled_channels(int64_t channels, double width) {
  return std::max<int64_t>(8, 8 * std::llround(static_cast<double>(channels) * width / 8));
}

}  // namespace dualdepth
