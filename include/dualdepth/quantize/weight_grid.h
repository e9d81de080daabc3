#pragma once

#include <torch/types.h>

#include <optional>

#include "dualdepth/config/quantize_options.h"
#include "dualdepth/graph/graph.h"

namespace dualdepth::quantize {

inline constexpr double kWeightSteps = 127;  // -127..127, zero point 0

// The step of filters [O, C, kh, kw]: per channel, float [O], the greatest |w| / 127; per tensor,
// float [1], that times the share from 0.4 to 1 with the least mean square rounding error, each
// filter's error taken relative to its own size.
torch::Tensor weight_scale(const torch::Tensor& weight, WeightGranularity granularity);

// weight as whole multiples of scale, half to even, clamped to -127..127 of them.
torch::Tensor round_to_nearest(const torch::Tensor& weight, const torch::Tensor& scale);

// A convolution with filters that lie on the grid already, and its bias as a whole multiple of
// input_scale * scale where there is an input grid.
graph::Conv on_grid(graph::Conv conv, const torch::Tensor& weight, const torch::Tensor& scale,
                    std::optional<float> input_scale);

// Each convolution of a graph with grids rounded to nearest, except those of `float_convs`.
graph::Graph quantize_weights(const graph::Graph& graph, WeightGranularity granularity,
                              const std::vector<graph::NodeId>& float_convs);

}  // namespace dualdepth::quantize
