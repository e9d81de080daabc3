#pragma once

#include <torch/types.h>

#include <utility>

namespace dualdepth::graph {

// The value of one node: a tensor of the node's shape and type.
//
// A convolution with a weight_scale over quantized values is summed in whole numbers, as the chip
// sums them, and a FakeQuantize behind it (and its Relu) requantizes the sums as ONNX Runtime's
// QLinearConv does:
//
//   round(float32(sum) * (s_x s_w / s_y)), half to even, in float32
//
// Everything else is computed in float from dequantized values.
class Value {
 public:
  Value() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): most values are plain tensors
  Value(torch::Tensor value) : value_(std::move(value)) {}
  // Whole numbers in float32, each worth `step`: float, broadcast over the channels.
  Value(torch::Tensor sums, torch::Tensor step) : value_(std::move(sums)), step_(std::move(step)) {}

  bool is_sum() const { return step_.defined(); }
  const torch::Tensor& sums() const { return value_; }
  const torch::Tensor& step() const { return step_; }

  torch::Tensor real() const;

 private:
  torch::Tensor value_, step_;
};

}  // namespace dualdepth::graph
