#pragma once

#include <torch/types.h>

#include <memory>

#include "dualdepth/codec/level_distribution.h"
#include "dualdepth/model/level_head.h"

namespace dualdepth {

class FractionFilter;  // src/model/fraction_filter.h

// Means over the levels of a pixel, with its fraction's logit.
struct MeanHeads {
  torch::Tensor start, slope;     // float [N, h, w]: sum_k p_k start_k, sum_k p_k slope_k
  torch::Tensor fraction_logits;  // float [N, h, w], undefined without a second head
};

// The softmax p over the K channels of a 3x3 convolution with zero padding, read without the
// channels ever being stored for the whole picture (codec/level_distribution.h has the formulas).
// The logits of 24 times 4x4 pixels are computed as LevelHead does it and stay in the cache.
//
// Compiled for several instruction sets (Highway); the best that the CPU has runs. feature: float32
// [N, C, h, w] on the CPU, fastest in channels-last; threads: so many of its own, 0: LibTorch's.
class DistributionHead {
 public:
  // filters: float32; copied in the kernel's own order.
  explicit DistributionHead(const HeadFilters& filters);

  // places: [K] each. Logits differ from conv2d's by about 1e-6 of the size of their products.
  MeanHeads mean(const torch::Tensor& feature, const LevelPlaces& places, int threads = 0) const;

  // Levels may differ from median_level()'s where a sum of shares is 1/2 up to rounding.
  WinningHeads median(const torch::Tensor& feature, int threads = 0) const;

 private:
  int64_t levels_;
  std::shared_ptr<const TransformedFilters> filters_;
  std::shared_ptr<const FractionFilter> fraction_;
};

}  // namespace dualdepth
