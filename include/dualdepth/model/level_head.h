#pragma once

#include <torch/types.h>

namespace dualdepth {

// argmax over the K channels of a 3x3 convolution with zero padding, without the channels ever
// being stored (126 MB at 192x640): of each pixel only the greatest logits so far and their level
// are kept. Of equal logits the first level wins.
//
// Four neighbouring pixels are computed at once with half the products (minimal filtering F(4, 3)
// along x; Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016). Its rounding
// error is a few times that of a plain sum, so a pixel whose two best logits lie closer together
// than that error may be is summed again directly.
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
