#pragma once

#include <torch/types.h>

namespace dualdepth {

// Filters of a convolution behind a nearest x2 upsampling, as those of a transposed convolution of
// the smaller map. A 3x3 filter sees 2x2 different pixels there: what lies on one is added up, so
//
//   conv2d(nearest_x2(x), weight, bias, stride 1, padding 1)
//     = conv_transpose2d(x, upsampled_filters(weight), bias, stride 2, padding 1)
//
// at the borders, too, with 16 products in place of 36 for each pixel of x. Along each axis
//
//   (w0, w1, w2) -> (w2, w1 + w2, w0 + w1, w0)
//
// weight: [O, I, 3, 3]. Returns [I, O, 4, 4], which is what conv_transpose2d reads.
torch::Tensor upsampled_filters(const torch::Tensor& weight);

}  // namespace dualdepth
