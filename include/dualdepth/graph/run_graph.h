#pragma once

#include <torch/types.h>

#include <functional>
#include <span>
#include <vector>

#include "dualdepth/graph/graph.h"

// A network graph computed in LibTorch: for fitting, measuring and quantizing it. Predictions go
// through dualdepth/runtime.
namespace dualdepth::graph {

// The value of one node: float [N, C, H, W] (ArgMax: int64 [N, 1, H, W]).
//
// A convolution with a weight_scale over values on a grid is summed in whole numbers, as the chip
// sums them, and a FakeQuantize behind it (and its Relu) brings the sums to its grid as ONNX
// Runtime's QLinearConv does:
//
//   round(float32(sum) * (s_x s_w / s_y)), half to even, in float32
//
// Everything else is computed in float with values on their grids.
class Value {
 public:
  Value() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): most values are plain tensors
  Value(torch::Tensor value) : value_(std::move(value)) {}
  // Whole numbers in float32, each worth `step` (float [1] or one for each channel).
  Value(torch::Tensor sums, torch::Tensor step) : value_(std::move(sums)), step_(std::move(step)) {}

  bool is_sum() const { return step_.defined(); }
  const torch::Tensor& sums() const { return value_; }
  const torch::Tensor& step() const { return step_; }

  torch::Tensor real() const;

 private:
  torch::Tensor value_, step_;
};

// Not for Input.
Value run_node(const Graph& graph, NodeId id, std::span<const Value> inputs);

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

}  // namespace dualdepth::graph
