#pragma once

#include <torch/types.h>

namespace dualdepth {

// (integer, fraction) of the original two-head method; see decompose_depth.
struct DecomposedDepth {
  torch::Tensor integer;   // level / (K-1), in [0, 1]
  torch::Tensor fraction;  // metres left over, may be negative
};

// The original decomposition, kept exactly (codec: rounded):
//
//   level    = clamp(round(d / M * (K-1)), 0, K-1)     round half to even
//   integer  = level / (K-1)
//   fraction = d - integer * M
//
// depth: float [...] in metres. Returns two tensors of its shape.
DecomposedDepth decompose_depth(const torch::Tensor& depth, double max_depth,
                                int64_t n_integer_levels = 256);

// integer * M + fraction, in metres.
torch::Tensor dual_head_to_depth(const torch::Tensor& integer, const torch::Tensor& fraction,
                                 double max_depth);

// 1 / clamp(dual_head_to_depth, m, M + 1), in 1/m.
torch::Tensor dual_head_to_inv_depth(const torch::Tensor& integer, const torch::Tensor& fraction,
                                     double max_depth, double min_depth);

}  // namespace dualdepth
