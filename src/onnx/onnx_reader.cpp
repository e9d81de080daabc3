#include "dualdepth/onnx/onnx_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "dualdepth/base/error.h"
#include "onnx_tensor.h"

namespace dualdepth {
namespace {

using graph::Add;
using graph::Affine;
using graph::ArgMax;
using graph::Concat;
using graph::Conv;
using graph::FakeQuantize;
using graph::Graph;
using graph::MaxPool;
using graph::NodeId;
using graph::Operation;
using graph::Output;
using graph::Relu;
using graph::Shape;
using graph::Sigmoid;
using graph::Upsample;

// "encoder.layer1.0.conv1" of "/encoder/layer1/0/conv1/Conv"; a name without a path is kept.
std::string module_of(const std::string& name) {
  std::string path = name.starts_with('/') ? name.substr(1) : name;
  const size_t end = path.rfind('/');
  if (end == std::string::npos) return name.starts_with('/') ? "" : path;
  path.resize(end);
  // Mul and Add of an Affine node carry its own name in between.
  const size_t last = path.rfind('/') + 1;
  if (path.compare(last, 6, "Affine") == 0) path.resize(last == 0 ? 0 : last - 1);
  std::ranges::replace(path, '/', '.');
  return path;
}

class Reader {
 public:
  Reader(const OnnxFile& file, int64_t height, int64_t width) : file_(file), size_{height, width} {
    const onnx::GraphProto& proto = file.model().graph();
    for (const auto& tensor : proto.initializer()) {
      if (const auto values = to_torch(tensor)) constants_[tensor.name()] = *values;
    }
    for (const auto& input : proto.input()) {
      if (constants_.contains(input.name())) continue;  // older files list initializers, too
      values_[input.name()] = graph_.add_input(input.name(), input_shape(input));
    }
    for (const auto& node : proto.node()) {
      for (const auto& name : node.input()) ++readers_[name];
    }
    for (const auto& output : proto.output()) ++readers_[output.name()];
    for (const auto& node : proto.node()) read(node);
    std::vector<Output> outputs;
    for (const auto& output : proto.output()) {
      outputs.push_back({output.name(), value(output.name(), "output")});
    }
    graph_.set_outputs(std::move(outputs));
  }

  Graph graph() && { return std::move(graph_); }

 private:
  [[noreturn]] void fail(const std::string& where, const std::string& expected,
                         const std::string& got) const {
    throw Error({.subject = file_.path().string() + ": " + where,
                 .expected = expected,
                 .got = got,
                 .fix = ""});
  }

  [[noreturn]] void fail(const onnx::NodeProto& node, const std::string& expected,
                         const std::string& got) const {
    fail(fmt::format("node {} ({})", node.name(), node.op_type()), expected, got);
  }

  Shape input_shape(const onnx::ValueInfoProto& input) const {
    const auto& shape = input.type().tensor_type().shape();
    if (shape.dim_size() != 4) {
      fail("input " + input.name(), "[N, C, H, W]", fmt::format("{} dimensions", shape.dim_size()));
    }
    Shape known(4);
    for (int i = 0; i < 4; ++i) {
      const auto& dimension = shape.dim(i);
      const int64_t otherwise = i == 0 ? 1 : i == 1 ? 0 : size_.at(i - 2);
      known.at(i) = dimension.has_dim_value() ? dimension.dim_value() : otherwise;
      if (known.at(i) <= 0) {
        fail("input " + input.name(), "a known size", "a dynamic one");
      }
    }
    return known;
  }

  NodeId value(const std::string& name, const std::string& where) const {
    const auto found = values_.find(name);
    if (found == values_.end()) fail(where, "a computed value " + name, "none");
    return found->second;
  }
  NodeId in(const onnx::NodeProto& node, int i = 0) const {
    if (i >= node.input_size()) fail(node, fmt::format("{} inputs", i + 1), "fewer");
    return value(node.input(i), "node " + node.name());
  }
  bool is_constant(const onnx::NodeProto& node, int i) const {
    return i < node.input_size() && constants_.contains(node.input(i));
  }
  torch::Tensor constant(const onnx::NodeProto& node, int i) const {
    if (!is_constant(node, i)) fail(node, fmt::format("a constant as input {}", i), "none");
    return constants_.at(node.input(i));
  }

  void set(const onnx::NodeProto& node, Operation operation, std::vector<NodeId> inputs) {
    values_[node.output(0)] =
        graph_.add(std::move(operation), std::move(inputs), module_of(node.name()));
  }

  void read(const onnx::NodeProto& node) {
    if (node.output_size() < 1) fail(node, "an output", "none");
    const std::string& kind = node.op_type();
    if (kind == "Conv") return set(node, conv(node), {in(node)});
    if (kind == "Relu") return set(node, Relu{}, {in(node)});
    if (kind == "Sigmoid") return set(node, Sigmoid{}, {in(node)});
    if (kind == "MaxPool") return set(node, max_pool(node), {in(node)});
    if (kind == "Resize") return set(node, resize(node, 2), {in(node)});
    if (kind == "Upsample") return set(node, resize(node, 1), {in(node)});
    if (kind == "Concat") return set(node, Concat{}, concat_inputs(node));
    if (kind == "ArgMax") return set(node, arg_max(node), {in(node)});
    if (kind == "Mul" || kind == "Add" || kind == "Sub" || kind == "Div") return arithmetic(node);
    if (kind == "QuantizeLinear") return quantize(node);
    if (kind == "DequantizeLinear") return dequantize(node);
    if (kind == "Cast" && std::holds_alternative<ArgMax>(graph_.node(in(node)).operation)) {
      values_[node.output(0)] = in(node);
      return;
    }
    fail(node, "an operator that the network graph knows", kind);
  }

  std::array<int64_t, 2> pair(const onnx::NodeProto& node, const char* name) const {
    const auto values = ints_of(node, name, {1, 1});
    if (values.size() != 2) fail(node, fmt::format("two numbers in {}", name), "others");
    return {values[0], values[1]};
  }

  std::array<int64_t, 2> padding(const onnx::NodeProto& node) const {
    const auto pads = ints_of(node, "pads", {0, 0, 0, 0});
    if (string_of(node, "auto_pad", "NOTSET") != "NOTSET" || pads.size() != 4 ||
        pads[0] != pads[2] || pads[1] != pads[3]) {
      fail(node, "equal explicit padding on both sides", "another");
    }
    return {pads[0], pads[1]};
  }

  Conv conv(const onnx::NodeProto& node) const {
    if (int_of(node, "group", 1) != 1) fail(node, "one group", "several");
    const auto weight = constant(node, 1);
    if (weight.dim() != 4) fail(node, "weight [O, C, kh, kw]", "another");
    const auto scale = weight_scales_.find(node.input(1));
    return {.weight = weight,
            .bias = node.input_size() > 2 ? constant(node, 2) : torch::zeros({weight.size(0)}),
            .stride = pair(node, "strides"),
            .padding = padding(node),
            .dilation = pair(node, "dilations"),
            .weight_scale = scale == weight_scales_.end() ? torch::Tensor() : scale->second};
  }

  // Scale and zero point of a Q or DQ node, [1] or [C].
  std::pair<torch::Tensor, torch::Tensor> scale_and_zero(const onnx::NodeProto& node) const {
    const auto scale = constant(node, 1).to(torch::kFloat32).flatten();
    const auto zero = node.input_size() > 2 ? constant(node, 2).flatten()
                                            : torch::zeros_like(scale, torch::kUInt8);
    if (zero.numel() != scale.numel()) fail(node, "a zero point for each scale", "others");
    return {scale, zero};
  }

  // The first of a pair; its DequantizeLinear makes the node.
  void quantize(const onnx::NodeProto& node) {
    const auto [scale, zero] = scale_and_zero(node);
    if (scale.numel() != 1) fail(node, "one scale for a value", std::to_string(scale.numel()));
    const auto type = zero.scalar_type();
    const bool is_signed = type == torch::kInt8 || type == torch::kInt16;
    const int64_t bits = type == torch::kInt16 || type == torch::kUInt16 ? 16 : 8;
    quantized_[node.output(0)] = {
        in(node),
        FakeQuantize{scale.item<float>(), zero.to(torch::kInt64).item<int64_t>(), is_signed, bits}};
  }

  void dequantize(const onnx::NodeProto& node) {
    if (const auto found = quantized_.find(node.input(0)); found != quantized_.end()) {
      return set(node, found->second.second, {found->second.first});
    }
    const auto steps = constant(node, 0);
    const auto [scale, zero] = scale_and_zero(node);
    const bool each = scale.numel() > 1;
    if (each && (steps.dim() == 0 || steps.size(0) != scale.numel())) {
      fail(node, "a scale for each filter (axis 0)", std::to_string(scale.numel()));
    }
    std::vector<int64_t> along(static_cast<size_t>(std::max<int64_t>(steps.dim(), 1)), 1);
    along.front() = -1;
    const auto shape = each ? along : std::vector<int64_t>(along.size(), 1);
    constants_[node.output(0)] =
        ((steps.to(torch::kFloat64) - zero.to(torch::kFloat64).view(shape)) *
         scale.to(torch::kFloat64).view(shape))
            .to(torch::kFloat32)
            .view(steps.sizes());
    weight_scales_[node.output(0)] = scale;
  }

  MaxPool max_pool(const onnx::NodeProto& node) const {
    if (int_of(node, "ceil_mode", 0) != 0 ||
        pair(node, "dilations") != std::array<int64_t, 2>{1, 1}) {
      fail(node, "sizes rounded down and no dilation", "others");
    }
    return {pair(node, "kernel_shape"), pair(node, "strides"), padding(node)};
  }

  Upsample resize(const onnx::NodeProto& node, int scales_at) const {
    const auto scales = constant(node, scales_at).to(torch::kFloat64);
    const auto at = [&](int64_t i) { return scales[i].item<double>(); };
    const bool whole = scales.numel() == 4 && at(0) == 1 && at(1) == 1 && at(2) == at(3) &&
                       at(2) == std::floor(at(2));
    const auto mode = string_of(node, "mode", "nearest");
    const bool plain =
        node.op_type() == "Upsample" ||
        (string_of(node, "coordinate_transformation_mode", "half_pixel") == "asymmetric" &&
         string_of(node, "nearest_mode", "round_prefer_floor") == "floor");
    if (!whole || mode != "nearest" || !plain) {
      fail(node, "nearest by one whole factor (asymmetric, floor)", "another way of resizing");
    }
    return {static_cast<int64_t>(at(2))};
  }

  std::vector<NodeId> concat_inputs(const onnx::NodeProto& node) const {
    if (int_of(node, "axis", 0) != 1) fail(node, "axis 1", "another");
    std::vector<NodeId> inputs;
    inputs.reserve(node.input_size());
    for (int i = 0; i < node.input_size(); ++i) inputs.push_back(in(node, i));
    return inputs;
  }

  ArgMax arg_max(const onnx::NodeProto& node) const {
    if (int_of(node, "axis", 0) != 1 || int_of(node, "keepdims", 1) != 1 ||
        int_of(node, "select_last_index", 0) != 0) {
      fail(node, "axis 1, keepdims, the first of equals", "another ArgMax");
    }
    return {};
  }

  // Two maps, or a map and a constant for each channel.
  void arithmetic(const onnx::NodeProto& node) {
    const std::string& kind = node.op_type();
    if (!is_constant(node, 0) && !is_constant(node, 1)) {
      if (kind != "Add") fail(node, "a constant operand", "two maps");
      return set(node, Add{}, {in(node, 0), in(node, 1)});
    }
    const bool second = is_constant(node, 1);
    if (!second && (kind == "Sub" || kind == "Div")) fail(node, "map - constant", "the reverse");
    const NodeId map = in(node, second ? 0 : 1);
    auto each = constant(node, second ? 1 : 0);
    const int64_t channels = graph_.node(map).shape[1];
    if (each.scalar_type() != torch::kFloat32 || (each.numel() != 1 && each.numel() != channels)) {
      fail(node, "a float constant for each channel", "another");
    }
    each = each.flatten().expand({channels}).clone();
    if (kind == "Add" && add_to_bias(node, second ? 0 : 1, each)) return;
    const auto ones = torch::ones({channels});
    const auto zeros = torch::zeros({channels});
    if (kind == "Mul") return set(node, Affine{each, zeros}, {map});
    if (kind == "Div") return set(node, Affine{each.reciprocal(), zeros}, {map});
    set(node, Affine{ones, kind == "Add" ? each : -each}, {map});
  }

  // Where only this node reads a convolution.
  bool add_to_bias(const onnx::NodeProto& node, int map_at, const torch::Tensor& shift) {
    const std::string& map = node.input(map_at);
    const NodeId id = values_.at(map);
    const auto* conv = std::get_if<Conv>(&graph_.node(id).operation);
    if (conv == nullptr || readers_.at(map) != 1) return false;
    Conv shifted = *conv;
    shifted.bias = conv->bias + shift;
    graph_.replace(id, std::move(shifted));
    values_[node.output(0)] = id;
    return true;
  }

  const OnnxFile& file_;
  std::array<int64_t, 2> size_;
  Graph graph_;
  std::map<std::string, NodeId> values_;
  std::map<std::string, int> readers_;  // how many nodes and outputs read a value
  std::map<std::string, torch::Tensor> constants_;
  std::map<std::string, torch::Tensor> weight_scales_;  // of constants behind a DequantizeLinear
  std::map<std::string, std::pair<NodeId, FakeQuantize>> quantized_;  // behind a QuantizeLinear
};

}  // namespace

Graph read_onnx(const OnnxFile& file, int64_t height, int64_t width) {
  return Reader(file, height, width).graph();
}

}  // namespace dualdepth
