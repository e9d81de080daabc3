#pragma once

#include <torch/types.h>

namespace dualdepth {

// argmax over the K channels of a 3x3 convolution with zero padding, without the channels ever
// being stored (126 MB at 192x640): a register tile of pixels and levels is multiplied and only
// each pixel's greatest logit so far and its level are kept. Of equal logits the first level wins.
//
// feature: float32 [N, C, h, w] on the CPU, fastest in channels-last. weight: float32 [K, C, 3, 3],
// bias: float32 [K]. Returns int64 [N, h, w]. Sums are taken in another order than conv2d's, so
// that levels may differ where two logits are equal to about 1e-6 of their size. threads: 0 as many
// as LibTorch computes with on the calling thread.
//
// Compiled for several instruction sets (Highway); the best that the CPU has runs. Measured at
// 192x640, 16 channels, 256 levels, two cores with AVX-512: see docs/decisions.md.
torch::Tensor winning_levels(const torch::Tensor& feature, const torch::Tensor& weight,
                             const torch::Tensor& bias, int threads = 0);

}  // namespace dualdepth
