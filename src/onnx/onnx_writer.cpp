#include "dualdepth/onnx/onnx_writer.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "onnx_tensor.h"

namespace dualdepth {
namespace {

using graph::Add;
using graph::Affine;
using graph::ArgMax;
using graph::ComposeDepth;
using graph::Concat;
using graph::Conv;
using graph::FakeQuantize;
using graph::Graph;
using graph::Input;
using graph::MaxPool;
using graph::Node;
using graph::NodeId;
using graph::Output;
using graph::Relu;
using graph::Shape;
using graph::Sigmoid;
using graph::Upsample;

constexpr const char* kMicrosoftDomain = "com.microsoft";

struct Versions {
  int64_t ir, opset;
};

Versions versions_of(OnnxProfile profile) {
  return profile == OnnxProfile::kNpu ? Versions{4, 9} : Versions{7, 13};
}

onnx::TensorProto::DataType element_type(torch::ScalarType type) {
  switch (type) {
    case torch::kInt8:
      return onnx::TensorProto::INT8;
    case torch::kUInt8:
      return onnx::TensorProto::UINT8;
    case torch::kInt32:
      return onnx::TensorProto::INT32;
    default:
      TORCH_CHECK(type == torch::kFloat32, "constants of float, int8, uint8 or int32");
      return onnx::TensorProto::FLOAT;
  }
}

void set_shape(onnx::ValueInfoProto& value, onnx::TensorProto::DataType type, const Shape& shape,
               bool dynamic) {
  auto* tensor = value.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(type);
  constexpr std::array kNames{"batch", "", "height", "width"};
  for (size_t i = 0; i < shape.size(); ++i) {
    auto* dimension = tensor->mutable_shape()->add_dim();
    if (dynamic && i != 1) {
      dimension->set_dim_param(kNames[i]);
    } else {
      dimension->set_dim_value(shape[i]);
    }
  }
}

class Writer {
 public:
  Writer(const Graph& graph, const OnnxOptions& options, onnx::GraphProto& out)
      : graph_(graph),
        options_(options),
        out_(out),
        names_(node_names(graph)),
        values_(value_names(graph)) {}

  void write_all() {
    for (id_ = 0; id_ < graph_.nodes().size(); ++id_) {
      std::visit([this](const auto& operation) { write(operation); }, graph_.node(id_).operation);
    }
    for (const Output& output : graph_.outputs()) {
      auto* value = out_.add_output();
      value->set_name(output.name);
      set_shape(*value, type_of(output.node), graph_.node(output.node).shape, options_.dynamic);
    }
  }

 private:
  bool for_npu() const { return options_.profile == OnnxProfile::kNpu; }
  std::string in(size_t i = 0) const { return values_[graph_.node(id_).inputs[i]]; }

  onnx::TensorProto::DataType type_of(NodeId id) const {
    if (!std::holds_alternative<ArgMax>(graph_.node(id).operation)) {
      return onnx::TensorProto::FLOAT;
    }
    return options_.profile == OnnxProfile::kOpenVino ? onnx::TensorProto::INT32
                                                      : onnx::TensorProto::INT64;
  }

  onnx::NodeProto& add(const std::string& kind, const std::vector<std::string>& inputs,
                       const std::string& name, const std::string& output) {
    auto* node = out_.add_node();
    node->set_op_type(kind);
    node->set_name(name);
    for (const auto& input : inputs) node->add_input(input);
    node->add_output(output);
    return *node;
  }

  // The graph's node as one ONNX node.
  onnx::NodeProto& add(const std::string& kind, const std::vector<std::string>& inputs) {
    return add(kind, inputs, names_[id_], values_[id_]);
  }

  // A step of a node that takes several: named after it, its value returned.
  std::string step(const std::string& kind, const std::vector<std::string>& inputs) {
    const std::string name = fmt::format("{}/{}_{}", names_[id_], kind, ++steps_);
    add(kind, inputs, name, name + "_output_0");
    return name + "_output_0";
  }

  // The value of the last step becomes the node's.
  void finish(const std::string& value) {
    for (auto& node : *out_.mutable_node()) {
      if (node.output(0) == value) node.set_output(0, values_[id_]);
    }
  }

  // Adds an initializer of the tensor's own type; a name that is taken gets a number.
  std::string constant(const std::string& name, const torch::Tensor& tensor,
                       const std::vector<int64_t>& shape) {
    std::string unique = name;
    for (int i = 1; !constants_.insert(unique).second; ++i) unique = fmt::format("{}_{}", name, i);
    auto* proto = out_.add_initializer();
    proto->set_name(unique);
    proto->set_data_type(element_type(tensor.scalar_type()));
    for (const int64_t size : shape) proto->add_dims(size);
    const auto values = tensor.contiguous();
    proto->set_raw_data(values.const_data_ptr(), values.nbytes());
    return unique;
  }

  std::string number(const std::string& what, double value) {
    return constant(fmt::format("{}.{}", names_[id_].substr(1), what),
                    torch::tensor({value}, torch::kFloat32), {});
  }

  std::string parameter(const char* what) const {
    const auto& module = graph_.node(id_).module;
    return (module.empty() ? names_[id_].substr(1) : module) + "." + what;
  }

  void write(const Input& input) {
    auto* value = out_.add_input();
    value->set_name(input.name);
    set_shape(*value, onnx::TensorProto::FLOAT, graph_.node(id_).shape, options_.dynamic);
  }

  void write(const Affine& affine) {
    const int64_t channels = affine.scale.numel();
    const std::vector<int64_t> shape{1, channels, 1, 1};
    std::string value = in();
    const bool scales = !affine.scale.eq(1).all().item<bool>();
    const bool shifts = !affine.shift.eq(0).all().item<bool>();
    if (scales || !shifts) {
      value = step("Mul", {value, constant(parameter("scale"), affine.scale, shape)});
    }
    if (shifts) value = step("Add", {value, constant(parameter("shift"), affine.shift, shape)});
    finish(value);
  }

  void write(const Conv& conv) {
    const bool apart = for_npu() && conv.weight_scale.defined();
    const std::string product = names_[id_] + "_product";
    auto& node = apart ? add("Conv", {in(), filters(conv)}, names_[id_], product)
                       : add("Conv", {in(), filters(conv), bias(conv)});
    set_attribute(node, "kernel_shape", {conv.weight.size(2), conv.weight.size(3)});
    set_attribute(node, "strides", {conv.stride[0], conv.stride[1]});
    set_attribute(node, "pads",
                  {conv.padding[0], conv.padding[1], conv.padding[0], conv.padding[1]});
    set_attribute(node, "dilations", {conv.dilation[0], conv.dilation[1]});
    set_attribute(node, "group", int64_t{1});
    if (apart) {
      const auto shift = constant(parameter("bias"), conv.bias, {1, conv.bias.numel(), 1, 1});
      add("Add", {product, shift}, names_[id_] + "/Add", values_[id_]);
    }
  }

  std::string filters(const Conv& conv) {
    const auto name = parameter("weight");
    const auto shape = conv.weight.sizes().vec();
    if (!conv.weight_scale.defined()) return constant(name, conv.weight, shape);
    const auto steps = (conv.weight / conv.weight_scale.view({-1, 1, 1, 1})).round();
    return dequantized(name, steps.to(torch::kInt8), conv.weight_scale);
  }

  std::string bias(const Conv& conv) {
    const auto name = parameter("bias");
    const auto grid = grid_of(graph_, graph_.node(id_).inputs[0]);
    const bool in_float = !conv.weight_scale.defined() || !grid.has_value() ||
                          options_.profile == OnnxProfile::kTensorRt;
    if (in_float) return constant(name, conv.bias, conv.bias.sizes().vec());
    const auto scale = conv.weight_scale.to(torch::kFloat64) * static_cast<double>(grid->scale);
    return dequantized(name, integer_bias(conv, grid->scale), scale.to(torch::kFloat32));
  }

  // A constant of whole numbers behind a DequantizeLinear; scale: [1] or one along axis 0.
  std::string dequantized(const std::string& name, const torch::Tensor& steps,
                          const torch::Tensor& scale) {
    const bool each = scale.numel() > 1;
    const std::vector<int64_t> shape = each ? scale.sizes().vec() : std::vector<int64_t>();
    std::vector<std::string> inputs{constant(name + "_quantized", steps, steps.sizes().vec()),
                                    constant(name + "_scale", scale, shape)};
    if (steps.scalar_type() == torch::kInt8) {
      const auto zero = torch::zeros(scale.sizes(), torch::kInt8);
      inputs.push_back(constant(name + "_zero_point", zero, shape));
    }
    const auto value = step("DequantizeLinear", inputs);
    auto& node = last_node();
    if (each) set_attribute(node, "axis", int64_t{0});
    node.set_domain(quantization_domain());
    return value;
  }

  void write(const FakeQuantize& grid) {
    const auto name = names_[id_].substr(1);
    const auto scale = constant(name + ".scale", torch::tensor({grid.scale}), {});
    const auto zero = constant(
        name + ".zero_point",
        torch::tensor({grid.zero_point}).to(grid.is_signed ? torch::kInt8 : torch::kUInt8), {});
    const auto steps = step("QuantizeLinear", {in(), scale, zero});
    last_node().set_domain(quantization_domain());
    const auto value = step("DequantizeLinear", {steps, scale, zero});
    last_node().set_domain(quantization_domain());
    finish(value);
  }

  // Opset 9 has no such operators; ONNX Runtime and OpenVINO know them in this domain.
  const char* quantization_domain() const { return for_npu() ? kMicrosoftDomain : ""; }

  onnx::NodeProto& last_node() { return *out_.mutable_node(out_.node_size() - 1); }

  void write(const Relu&) { add("Relu", {in()}); }
  void write(const Sigmoid&) { add("Sigmoid", {in()}); }
  void write(const Add&) { add("Add", {in(0), in(1)}); }

  void write(const MaxPool& pool) {
    auto& node = add("MaxPool", {in()});
    set_attribute(node, "kernel_shape", {pool.kernel[0], pool.kernel[1]});
    set_attribute(node, "strides", {pool.stride[0], pool.stride[1]});
    set_attribute(node, "pads",
                  {pool.padding[0], pool.padding[1], pool.padding[0], pool.padding[1]});
  }

  void write(const Upsample& upsample) {
    const auto factor = static_cast<float>(upsample.factor);
    const auto scales = constant(names_[id_].substr(1) + ".scales",
                                 torch::tensor({1.0F, 1.0F, factor, factor}), {4});
    if (for_npu()) {
      set_attribute(add("Upsample", {in(), scales}), "mode", "nearest");
      return;
    }
    auto& node = add("Resize", {in(), "", scales});
    set_attribute(node, "mode", "nearest");
    set_attribute(node, "coordinate_transformation_mode", "asymmetric");
    set_attribute(node, "nearest_mode", "floor");
  }

  void write(const Concat&) {
    std::vector<std::string> inputs;
    inputs.reserve(graph_.node(id_).inputs.size());
    for (size_t i = 0; i < graph_.node(id_).inputs.size(); ++i) inputs.push_back(in(i));
    set_attribute(add("Concat", inputs), "axis", int64_t{1});
  }

  void write(const ArgMax&) {
    const bool cast = type_of(id_) == onnx::TensorProto::INT32;
    const std::string index = names_[id_] + "_index";
    auto& node = cast ? add("ArgMax", {in()}, names_[id_], index) : add("ArgMax", {in()});
    set_attribute(node, "axis", int64_t{1});
    set_attribute(node, "keepdims", int64_t{1});
    if (!for_npu()) set_attribute(node, "select_last_index", int64_t{0});
    if (cast) {
      set_attribute(add("Cast", {index}, names_[id_] + "/Cast", values_[id_]), "to",
                    int64_t{onnx::TensorProto::INT32});
    }
  }

  // As DepthCodec::decode and plain_depth.
  void write(const ComposeDepth& compose) {
    const CodecOptions& codec = compose.params.codec;
    const double m = codec.min_depth;
    const double M = codec.max_depth;
    const auto K = static_cast<double>(codec.n_integer_levels);
    if (!compose.params.use_dual_head) {
      const auto span = step("Mul", {in(), number("span", M - m)});
      return finish(step("Add", {span, number("min_depth", m)}));
    }
    std::string level = in(0);
    if (type_of(graph_.node(id_).inputs[0]) != onnx::TensorProto::FLOAT) {
      level = step("Cast", {level});
      set_attribute(last_node(), "to", int64_t{onnx::TensorProto::FLOAT});
    }
    if (codec.codec == CodecKind::kRounded || codec.codec == CodecKind::kContinuous) {
      const auto integer = step("Mul", {level, number("step", M / (K - 1))});
      return finish(clip(step("Add", {integer, in(1)}), 0, M + 1));
    }
    std::string fraction = in(1);
    if (codec.codec == CodecKind::kReflected) fraction = reflect(level, fraction);
    const auto x = step("Add", {level, fraction});
    finish(clip(from_axis(x, codec), m, M));
  }

  // f for even levels, 1 - f for odd ones: f (1 - 2 p) + p with p = level - 2 floor(level / 2).
  std::string reflect(const std::string& level, const std::string& fraction) {
    const auto half = step("Floor", {step("Mul", {level, number("half", 0.5)})});
    const auto parity = step("Sub", {level, step("Mul", {half, number("two", 2)})});
    const auto sign = step("Sub", {number("one", 1), step("Mul", {parity, number("two", 2)})});
    return step("Add", {step("Mul", {fraction, sign}), parity});
  }

  std::string from_axis(const std::string& x, const CodecOptions& codec) {
    const double m = codec.min_depth;
    const double M = codec.max_depth;
    const auto K = static_cast<double>(codec.n_integer_levels);
    if (codec.spacing == Spacing::kLinear) {
      const auto scaled = step("Mul", {x, number("step", (M - m) / K)});
      return step("Add", {scaled, number("min_depth", m)});
    }
    if (codec.spacing == Spacing::kLog) {
      const auto power = step("Exp", {step("Mul", {x, number("step", std::log(M / m) / K)})});
      return step("Mul", {power, number("min_depth", m)});
    }
    const auto scaled = step("Mul", {x, number("step", (1 / m - 1 / M) / K)});
    return step("Reciprocal", {step("Sub", {number("inverse_min_depth", 1 / m), scaled})});
  }

  std::string clip(const std::string& x, double low, double high) {
    if (!for_npu()) return step("Clip", {x, number("low", low), number("high", high)});
    const auto value = step("Clip", {x});
    auto& node = last_node();
    set_attribute(node, "min", static_cast<float>(low));
    set_attribute(node, "max", static_cast<float>(high));
    return value;
  }

  const Graph& graph_;
  OnnxOptions options_;
  onnx::GraphProto& out_;
  std::vector<std::string> names_;   // of nodes
  std::vector<std::string> values_;  // of their values
  std::set<std::string> constants_;
  NodeId id_ = 0;
  int steps_ = 0;
};

}  // namespace

std::vector<std::string> value_names(const Graph& graph) {
  std::vector<std::string> names = node_names(graph);
  for (NodeId id = 0; id < names.size(); ++id) {
    if (!std::holds_alternative<Input>(graph.node(id).operation)) names[id] += "_output_0";
  }
  for (const Output& output : graph.outputs()) names[output.node] = output.name;
  return names;
}

std::unique_ptr<onnx::ModelProto> to_onnx(const graph::Graph& graph, const OnnxOptions& options) {
  auto model = std::make_unique<onnx::ModelProto>();
  const Versions versions = versions_of(options.profile);
  model->set_ir_version(versions.ir);
  model->set_producer_name("dualdepth");
  model->set_doc_string(
      "Metric depth from one camera: RGB in 0..1 in, metres or what makes them out");
  auto* opset = model->add_opset_import();
  opset->set_domain("");
  opset->set_version(versions.opset);
  const bool quantized = std::ranges::any_of(graph.nodes(), [](const Node& node) {
    return std::holds_alternative<FakeQuantize>(node.operation);
  });
  if (quantized && options.profile == OnnxProfile::kNpu) {
    auto* domain = model->add_opset_import();
    domain->set_domain(kMicrosoftDomain);
    domain->set_version(1);
  }
  model->mutable_graph()->set_name("dualdepth");
  Writer(graph, options, *model->mutable_graph()).write_all();
  for (const auto& [key, value] : options.metadata) {
    auto* entry = model->add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  return model;
}

}  // namespace dualdepth
