#include "dualdepth/codec/decompose.h"

namespace dualdepth {

DecomposedDepth decompose_depth(const torch::Tensor& depth, double max_depth,
                                int64_t n_integer_levels) {
  const auto steps = static_cast<double>(n_integer_levels - 1);
  const auto level = (depth / max_depth * steps).round().clamp(0, steps);
  const auto integer = level / steps;
  return {integer, depth - integer * max_depth};
}

torch::Tensor dual_head_to_depth(const torch::Tensor& integer, const torch::Tensor& fraction,
                                 double max_depth) {
  return integer * max_depth + fraction;
}

torch::Tensor dual_head_to_inv_depth(const torch::Tensor& integer, const torch::Tensor& fraction,
                                     double max_depth, double min_depth) {
  return dual_head_to_depth(integer, fraction, max_depth)
      .clamp(min_depth, max_depth + 1)
      .reciprocal();
}

}  // namespace dualdepth
