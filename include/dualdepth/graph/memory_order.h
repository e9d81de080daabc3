#pragma once

#include <torch/types.h>

namespace dualdepth::graph {

// All values as one line [numel], in the order in which they lie in memory where they fill it, so
// that the maps of channels-last convolutions are not copied.
inline torch::Tensor in_memory_order(const torch::Tensor& values) {
  if (!values.is_non_overlapping_and_dense()) return values.flatten();
  return values.as_strided({values.numel()}, {1});
}

}  // namespace dualdepth::graph
