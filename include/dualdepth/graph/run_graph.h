#pragma once

#include <torch/types.h>

#include <functional>
#include <span>
#include <vector>

#include "dualdepth/graph/graph.h"
#include "dualdepth/graph/value.h"

// A network graph computed in LibTorch: for fitting, measuring and quantizing it. Predictions go
// through dualdepth/runtime.
namespace dualdepth::graph {

// Not for Input.
Value run_node(const Graph& graph, NodeId id, std::span<const Value> inputs);

// s (clamp(round(x / s) + z, ...) - z) of FakeQuantize.
torch::Tensor fake_quantize(const torch::Tensor& x, const FakeQuantize& grid);

// Called with each value as it is computed. The channels of the integer head come in stripes of
// some lines, from top to bottom, so that they are never there as a whole.
using ValueObserver = std::function<void(NodeId id, const torch::Tensor& value)>;

// The values of `wanted` (none of them inside the integer head before its end), in that order;
// others are freed when their last consumer has run. image: float [N, 3, H, W] of any size that the
// network allows.
std::vector<torch::Tensor> run_graph(const Graph& graph, const torch::Tensor& image,
                                     std::span<const NodeId> wanted,
                                     const ValueObserver& observe = {});

// The same for a graph of several inputs, in the order of their nodes. Throws Error when there are
// more or fewer inputs than the graph has.
std::vector<torch::Tensor> run_graph(const Graph& graph, std::span<const torch::Tensor> inputs,
                                     std::span<const NodeId> wanted,
                                     const ValueObserver& observe = {});

}  // namespace dualdepth::graph
