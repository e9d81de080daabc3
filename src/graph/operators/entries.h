#pragma once

#include <fmt/format.h>

#include <utility>

#include "dualdepth/graph/operator_table.h"

// The entries of the operator table, one function each, by family:
//
//   source.cpp        Input, Constant, Foreign
//   arithmetic.cpp    Affine, Add, Binary, and BatchNormalization as Affine
//   activation.cpp    Relu, Sigmoid, Clip, HardSigmoid, LeakyRelu, PRelu, Softmax
//   unary.cpp         Unary, Cast
//   convolution.cpp   Conv
//   transposed.cpp    ConvTranspose
//   linear.cpp        Linear, MatMul
//   window.cpp        MaxPool, AveragePool
//   resize.cpp        Upsample, Resize
//   movement.cpp      Concat, Transpose, Expand, Gather
//   reshaping.cpp     Reshape, Squeeze, Unsqueeze
//   slice.cpp         Slice, Pad
//   reduction.cpp     ArgMax, Reduce
//   quantization.cpp  FakeQuantize
//   compose_depth.cpp ComposeDepth
namespace dualdepth::graph {

// An entry whose functions take the operator's own type. What is left out is as said here.
template <class T>
struct Typed {
  std::function<std::string_view(const T&)> name;
  std::function<ValueType(const T&, const Operands&)> infer;
  std::function<Value(const T&, const Arguments&)> compute;
  std::function<bool(const T&)> passes_values = [](const T&) { return false; };
  bool can_be_quantized = false;
  std::function<int64_t(const T&, const Shape&)> multiply_accumulates = [](const T&, const Shape&) {
    return int64_t{0};
  };
  std::function<int64_t(const T&)> parameters = [](const T&) { return int64_t{0}; };
  std::function<std::string(const T&)> details = [](const T&) { return std::string(); };
  std::string_view color = "#e4ede8";
  std::vector<StandardForm> forms = {};
  std::function<void(const T&, NodeWriter&)> write;
};

// The same function of any Operation, which must hold a T.
template <class T, class Result, class... Rest>
std::function<Result(const Operation&, Rest...)> untyped(
    std::function<Result(const T&, Rest...)> function) {
  return [function = std::move(function)](const Operation& operation, Rest... rest) {
    return function(std::get<T>(operation), std::forward<Rest>(rest)...);
  };
}

template <class T>
OperatorEntry make_entry(Typed<T> typed) {
  return {.name = untyped<T>(std::move(typed.name)),
          .infer = untyped<T>(std::move(typed.infer)),
          .compute = untyped<T>(std::move(typed.compute)),
          .passes_values = untyped<T>(std::move(typed.passes_values)),
          .can_be_quantized = typed.can_be_quantized,
          .multiply_accumulates = untyped<T>(std::move(typed.multiply_accumulates)),
          .parameters = untyped<T>(std::move(typed.parameters)),
          .details = untyped<T>(std::move(typed.details)),
          .color = typed.color,
          .forms = std::move(typed.forms),
          .write = untyped<T>(std::move(typed.write))};
}

// A name that is the same for every operation of the type.
template <class T>
std::function<std::string_view(const T&)> named(std::string_view name) {
  return [name](const T&) { return name; };
}

// "Add": a read function that makes one value.
inline std::vector<StandardValue> one(NodeId id) { return {id}; }

// The channel's number of a [C] tensor for each element of a value of this rank: [1, C, 1, ...].
torch::Tensor along_channels(const torch::Tensor& numbers, int64_t rank);

// Axes counted from 0, in ascending order. Throws Error for one that is not there or twice.
std::vector<int64_t> ascending_axes(NodeReader& node, std::vector<int64_t> axes, size_t rank);

// Pads the height and width of a map by (above, left, below, right); the map itself where all are
// 0.
NodeId add_padding(NodeReader& node, NodeId value, const std::array<int64_t, 4>& pads,
                   float number);

// Writes a constant of whole numbers behind a DequantizeLinear and returns its value's name; scale:
// [1], or one for each index along `axis`.
std::string write_dequantized(NodeWriter& out, const std::string& name, const torch::Tensor& codes,
                              const torch::Tensor& scale, int64_t axis = 0);

OperatorEntry input_entry();
OperatorEntry constant_entry();
OperatorEntry foreign_entry();
OperatorEntry affine_entry();
OperatorEntry add_entry();
OperatorEntry relu_entry();
OperatorEntry sigmoid_entry();
OperatorEntry conv_entry();
OperatorEntry max_pool_entry();
OperatorEntry upsample_entry();
OperatorEntry concat_entry();
OperatorEntry arg_max_entry();
OperatorEntry fake_quantize_entry();
OperatorEntry compose_depth_entry();
OperatorEntry conv_transpose_entry();
OperatorEntry linear_entry();
OperatorEntry mat_mul_entry();
OperatorEntry binary_entry();
OperatorEntry unary_entry();
OperatorEntry clip_entry();
OperatorEntry hard_sigmoid_entry();
OperatorEntry leaky_relu_entry();
OperatorEntry p_relu_entry();
OperatorEntry softmax_entry();
OperatorEntry average_pool_entry();
OperatorEntry reduce_entry();
OperatorEntry resize_entry();
OperatorEntry pad_entry();
OperatorEntry slice_entry();
OperatorEntry transpose_entry();
OperatorEntry reshape_entry();
OperatorEntry squeeze_entry();
OperatorEntry unsqueeze_entry();
OperatorEntry expand_entry();
OperatorEntry gather_entry();
OperatorEntry cast_entry();

}  // namespace dualdepth::graph
