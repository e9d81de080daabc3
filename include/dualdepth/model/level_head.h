#pragma once

#include <torch/types.h>

#include <cstdint>
#include <limits>
#include <memory>

#include "dualdepth/model/dual_head.h"

namespace dualdepth {

class FractionFilter;      // src/model/fraction_filter.h
class TransformedFilters;  // src/model/packed_filters.h

// What prediction needs of both heads.
struct WinningHeads {
  torch::Tensor level;            // int64 [N, h, w]
  torch::Tensor fraction_logits;  // float [N, h, w], undefined without a second head
};

// argmax over the K channels of a 3x3 convolution with zero padding, without the channels ever
// being stored (126 MB at 192x640): of each pixel only the greatest logits so far and their level
// are kept. Of equal logits the first level wins.
//
// 4x4 pixels are computed at once with a quarter of the products (minimal filtering F(4x4, 3x3);
// Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016). Its rounding error is a
// few times that of a plain sum, so a pixel whose two best logits lie closer together than that
// error may be, as bounded from the filters and the pixel's input, is summed again directly. The
// single channel of the fraction is summed directly while the map is in the cache.
//
// Behind the convolution a file may have a Relu, or a FakeQuantize with its lowest code: they make
// all logits of a pixel equal when the greatest one is at most `clipping_value` (0 for a Relu), and
// ArgMax then returns level 0. So does this class, which reads the sums in front of them.
//
// Compiled for several instruction sets (Highway); the best that the CPU has runs. Measured at
// 192x640, 16 channels, 256 levels, two cores with AVX-512: see docs/decisions.md.
class LevelHead {
 public:
  static constexpr float kNoClipping = -std::numeric_limits<float>::infinity();

  // filters: float32; copied in the kernel's own order.
  explicit LevelHead(const HeadFilters& filters, float clipping_value = kNoClipping);

  // feature: float32 [N, C, h, w] on the CPU, fastest in channels-last. Sums are taken in another
  // order than conv2d's, so that levels may differ where two logits are equal to about 1e-6 of
  // their size. threads: so many of its own, 0: LibTorch's.
  WinningHeads operator()(const torch::Tensor& feature, int threads = 0) const;

 private:
  int64_t channels_;
  std::shared_ptr<const TransformedFilters> filters_;
  std::shared_ptr<const FractionFilter> fraction_;
  torch::Tensor weight_;
  float rounding_size_, clipping_value_;
};

// The levels alone, of filters that are used once. weight: [K, C, 3, 3], bias: [K].
torch::Tensor winning_levels(const torch::Tensor& feature, const torch::Tensor& weight,
                             const torch::Tensor& bias);

}  // namespace dualdepth
