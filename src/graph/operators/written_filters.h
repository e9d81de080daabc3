#pragma once

#include <string>

#include "dualdepth/graph/filters.h"
#include "dualdepth/graph/operator_table.h"

// What the files of Conv and ConvTranspose have in common.
namespace dualdepth::graph {

// Throws Error for a weight_scale that is not one positive number or one for each filter.
template <class Convolution>
void expect_scale(const Operands& in, const Convolution& conv) {
  if (!conv.weight_scale.defined()) return;
  in.expect_tensor("weight_scale", conv.weight_scale,
                   {conv.weight_scale.numel() == 1 ? 1 : conv.bias.numel()});
  in.expect(conv.weight_scale.gt(0).all().template item<bool>(), "a weight_scale above 0",
            "another");
}

// The input "weight": float, or int8 or int16 codes behind a DequantizeLinear, whose scale is one
// number or one for each index along `axis`. Returns the value's name.
std::string write_weight(NodeWriter& out, const torch::Tensor& weight, const torch::Tensor& scale,
                         int64_t axis);

// The input "bias": float, or int32 codes where the filters and the input are quantized and the
// profile wants it so.
std::string write_bias(NodeWriter& out, const Filters& filters);

}  // namespace dualdepth::graph
