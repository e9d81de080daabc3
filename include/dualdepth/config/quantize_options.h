#pragma once

#include <array>
#include <cstdint>
#include <string>
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

// Fine-tuning with 8 bits in the loop (dualdepth/quantize/fine_tune.h): `train` with fake: true.
struct FakeQuantizeOptions {
  bool fake = false;
  std::string checkpoint;
  OnnxProfile profile = OnnxProfile::kPortable;
  WeightGranularity weights = WeightGranularity::kPerChannel;
  RangeMethod ranges = RangeMethod::kMse;
  int64_t pictures = 64;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("fake", fake,
            {.help = "fine-tune the checkpoint's network as it computes in 8 bits, and write it as "
                     "ONNX with Q/DQ pairs"});
    v.field("checkpoint", checkpoint, {.help = "trained network to begin with"});
    v.field("profile", profile, {.help = "runtime that the file is for"});
    v.field("weights", weights, {.help = "steps of filters; npu has one per tensor alone"});
    v.field("ranges", ranges, {.help = "how the ends of a grid are chosen; they stay as they are"});
    v.field("pictures", pictures,
            {.help = "training pictures that ranges are measured on", .min = 1});
  }
};

}  // namespace dualdepth
