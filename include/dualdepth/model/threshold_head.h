#pragma once

#include <torch/types.h>

#include <memory>

#include "dualdepth/model/dual_head.h"

namespace dualdepth {

class TransformedFilters;  // src/model/packed_filters.h

// The position on the level axis that a cumulative head says: sum_k clip(z_k, 0, 1) over the K
// channels of a 3x3 convolution z with zero padding, without the channels ever being stored (126 MB
// at 192x640). 4x4 pixels are computed at once as LevelHead (level_head.h) does it.
//
// Compiled for several instruction sets (Highway); the best that the CPU has runs.
class ThresholdHead {
 public:
  // filters: float32, those of fold_thresholds() (dense_prediction.h); copied in the kernel's own
  // order.
  explicit ThresholdHead(const HeadFilters& filters);

  // feature: float32 [N, C, h, w] on the CPU, fastest in channels-last. Returns float32 [N, h, w],
  // in levels. Sums are taken in another order than conv2d's: each z differs by about 1e-6 of the
  // size of its products. threads: so many of its own, 0: LibTorch's.
  torch::Tensor operator()(const torch::Tensor& feature, int threads = 0) const;

 private:
  std::shared_ptr<const TransformedFilters> filters_;
};

}  // namespace dualdepth
