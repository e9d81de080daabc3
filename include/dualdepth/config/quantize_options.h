#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "dualdepth/config/export_options.h"
#include "dualdepth/config/field.h"

namespace dualdepth {

// How the ends of a value's 8-bit grid are chosen from what calibration pictures show; 0 always
// lies on the grid. dualdepth/quantize/choose_range.h has the formulas.
enum class RangeMethod { kMinMax, kPercentile, kMse, kEntropy };
template <>
struct EnumNames<RangeMethod> {
  static constexpr std::array values{std::pair{RangeMethod::kMse, "mse"},
                                     std::pair{RangeMethod::kMinMax, "minmax"},
                                     std::pair{RangeMethod::kPercentile, "percentile"},
                                     std::pair{RangeMethod::kEntropy, "entropy"}};
};

// Whether each filter of a convolution has a step of its own.
enum class WeightGranularity { kPerChannel, kPerTensor };
template <>
struct EnumNames<WeightGranularity> {
  static constexpr std::array values{std::pair{WeightGranularity::kPerChannel, "per-channel"},
                                     std::pair{WeightGranularity::kPerTensor, "per-tensor"}};
};

}  // namespace dualdepth
