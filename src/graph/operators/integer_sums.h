#pragma once

#include <torch/types.h>

#include "dualdepth/graph/operators.h"

namespace dualdepth::graph {

// A convolution of quantized values in whole numbers, with its bias (integer_bias): float32 of the
// exact sums.
torch::Tensor integer_sums(const Conv& conv, const torch::Tensor& x,
                           const FakeQuantize& quantization);

}  // namespace dualdepth::graph
