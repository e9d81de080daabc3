#pragma once

#include <torch/types.h>

namespace dualdepth {

// The 3x3 neighbourhoods of single pixels, so that a 3x3 convolution is computed only there:
//
//   patches[p, (3 i + j) C + c] = feature[n, c, y + i - 1, x + j - 1], zero outside the picture
//
// feature: float32 or float64 [N, C, H, W], fastest in float32 and channels-last. pixels: int64
// [P], (n * H + y) * W + x. Returns [P, 9 C] in feature's type. Differentiable; in float32 on the
// CPU the gradient is summed in the order of `pixels`, so that it has the same bits with any number
// of threads.
torch::Tensor gather_patches(const torch::Tensor& feature, const torch::Tensor& pixels);

}  // namespace dualdepth
