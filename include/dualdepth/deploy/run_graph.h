#pragma once

#include <torch/types.h>

#include <functional>
#include <span>
#include <vector>

#include "dualdepth/deploy/graph.h"

// A deploy graph computed in LibTorch: for fitting, measuring and quantizing it. Predictions go
// through dualdepth/runtime.
namespace dualdepth::deploy {

// The value of one operation, float [N, C, H, W] (ArgMax: int64 [N, 1, H, W]). FakeQuantize and
// Conv with a weight_scale are computed in float with values on their grids. Not for Input.
torch::Tensor run_operation(const Operation& operation, std::span<const torch::Tensor> inputs);

// s (clamp(round(x / s) + z, ...) - z) of FakeQuantize.
torch::Tensor fake_quantize(const torch::Tensor& x, const FakeQuantize& grid);

// Called with each value as it is computed. The channels of the integer head come in stripes of
// some lines, from top to bottom, so that they are never there as a whole.
using ValueObserver = std::function<void(NodeId id, const torch::Tensor& value)>;

// The values of `wanted` (none of them inside the integer head before its end), in that order;
// others are freed when their last reader has run. image: float [N, 3, H, W] of any size that the
// network allows.
std::vector<torch::Tensor> run_graph(const Graph& graph, const torch::Tensor& image,
                                     std::span<const NodeId> wanted,
                                     const ValueObserver& observe = {});

}  // namespace dualdepth::deploy
