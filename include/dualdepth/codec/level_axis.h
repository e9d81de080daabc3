#pragma once

#include <torch/types.h>

#include "dualdepth/config/codec_options.h"

// The axis on which levels are evenly spaced. With M = max_depth, m = min_depth and
// K = n_integer_levels a depth d has the position x in [0, K]:
//
//   linear   x = (d - m) / (M - m) * K
//   log      x = ln(d/m) / ln(M/m) * K
//   inverse  x = (1/m - 1/d) / (1/m - 1/M) * K
//
// Both functions compute in double and return the dtype of their argument; both are differentiable.
namespace dualdepth {

// depth: float [...] in metres; a value outside [m, M] has the position of the nearest one inside.
torch::Tensor depth_to_position(const torch::Tensor& depth, const CodecOptions& options);

// position: float [...] in levels. Returns metres in [m, M].
torch::Tensor position_to_depth(const torch::Tensor& position, const CodecOptions& options);

}  // namespace dualdepth
