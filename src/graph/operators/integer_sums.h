#pragma once

#include <torch/types.h>

#include <functional>

#include "dualdepth/graph/filters.h"

namespace dualdepth::graph {

// The products of codes and filters [O, C / groups, kh, kw] without bias, summed in float32.
using Products = std::function<torch::Tensor(const torch::Tensor& codes, const torch::Tensor&)>;

// A convolution of quantized values in whole numbers, with its bias (integer_bias): float32 of the
// exact sums. `products` computes it for some of the channels of each group.
torch::Tensor integer_sums(const Filters& filters, int64_t groups, const torch::Tensor& x,
                           const FakeQuantize& quantization, const Products& products);

}  // namespace dualdepth::graph
