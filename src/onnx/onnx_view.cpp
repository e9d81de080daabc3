#include "onnx_view.h"

#include <fmt/format.h>
#include <onnx/shape_inference/implementation.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "onnx_tensor.h"

namespace dualdepth {
namespace {

using graph::Attribute;
using graph::Unsupported;

void fix_shape(onnx::ValueInfoProto& value, const graph::Shape& shape) {
  auto* dimensions = value.mutable_type()->mutable_tensor_type()->mutable_shape();
  dimensions->clear_dim();
  for (const int64_t size : shape) dimensions->add_dim()->set_dim_value(size);
}

std::string subject_of(const onnx::NodeProto& node) {
  return fmt::format("node {} ({})", node.name(), node.op_type());
}

Attribute to_attribute(const OnnxView& view, const onnx::NodeProto& node,
                       const onnx::AttributeProto& attribute) {
  using Type = onnx::AttributeProto;
  switch (attribute.type()) {
    case Type::INT:
      return attribute.i();
    case Type::FLOAT:
      return attribute.f();
    case Type::STRING:
      return attribute.s();
    case Type::INTS:
      return std::vector<int64_t>(attribute.ints().begin(), attribute.ints().end());
    case Type::FLOATS:
      return std::vector<float>(attribute.floats().begin(), attribute.floats().end());
    case Type::STRINGS:
      return std::vector<std::string>(attribute.strings().begin(), attribute.strings().end());
    case Type::TENSOR:
      if (auto tensor = to_torch(attribute.t(), view.file().path())) return *tensor;
      break;
    default:
      break;
  }
  throw Unsupported({.subject = subject_of(node),
                     .expected = fmt::format("numbers or text as attribute {}", attribute.name()),
                     .got = Type::AttributeType_Name(attribute.type()),
                     .fix = ""});
}

}  // namespace

OnnxView::OnnxView(const OnnxFile& file) : file_(file) {
  for (const auto& tensor : graph().initializer()) {
    tensors_[tensor.name()] = &tensor;
    shapes_[tensor.name()] = {tensor.dims().begin(), tensor.dims().end()};
    types_[tensor.name()] = tensor.data_type();
  }
  for (const auto& node : graph().node()) {
    const auto* value = node.op_type() == "Constant" ? find_attribute(node, "value") : nullptr;
    if (value != nullptr && node.output_size() == 1) tensors_[node.output(0)] = &value->t();
    for (const auto& output : node.output()) producers_[output] = &node;
    for (const auto& input : node.input()) ++consumers_[input];
  }
  for (const auto& value : graph().input()) add_type(value);
  for (const auto& value : graph().output()) {
    ++consumers_[value.name()];
    add_type(value);
  }
}

int64_t OnnxView::opset(const std::string& domain) const {
  for (const auto& import : file_.model().opset_import()) {
    const bool standard = domain.empty() && import.domain() == "ai.onnx";
    if (import.domain() == domain || standard) return import.version();
  }
  if (domain.empty() && file_.model().ir_version() < 3) return 1;
  throw Error({.subject = file_.path().string(),
               .expected = fmt::format("an opset_import of the domain \"{}\"", domain),
               .got = "none",
               .fix = ""});
}

const onnx::TensorProto* OnnxView::tensor(const std::string& value) const {
  const auto found = tensors_.find(value);
  return found == tensors_.end() ? nullptr : found->second;
}

std::optional<torch::Tensor> OnnxView::constant(const std::string& value) const {
  const auto* found = tensor(value);
  return found == nullptr ? std::nullopt : to_torch(*found, file_.path());
}

const onnx::NodeProto* OnnxView::producer(const std::string& value) const {
  const auto found = producers_.find(value);
  return found == producers_.end() ? nullptr : found->second;
}

int OnnxView::consumers(const std::string& value) const {
  const auto found = consumers_.find(value);
  return found == consumers_.end() ? 0 : found->second;
}

void OnnxView::infer_shapes(const std::map<std::string, graph::Shape>& inputs) {
  onnx::ModelProto model = file_.model();
  for (auto& input : *model.mutable_graph()->mutable_input()) {
    const auto found = inputs.find(input.name());
    if (found != inputs.end()) fix_shape(input, found->second);
  }
  if (!inputs.empty()) {
    // What the file says of the values between may hold for another size.
    model.mutable_graph()->clear_value_info();
    for (auto& output : *model.mutable_graph()->mutable_output()) {
      output.mutable_type()->mutable_tensor_type()->clear_shape();
    }
  }
  try {
    const onnx::ShapeInferenceOptions options(/*check_type=*/false, /*strict_mode=*/0,
                                              /*data_prop=*/true);
    onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(), options);
  } catch (const std::exception& error) {
    // Operators that this version does not know leave their shapes unknown.
    spdlog::debug("shapes are not inferred: {}", error.what());
  }
  for (const auto& value : model.graph().value_info()) add_type(value);
  for (const auto& value : model.graph().input()) add_type(value);
  for (const auto& value : model.graph().output()) add_type(value);
}

std::vector<int64_t> OnnxView::shape(const std::string& value) const {
  const auto found = shapes_.find(value);
  return found == shapes_.end() ? std::vector<int64_t>() : found->second;
}

int OnnxView::element_type(const std::string& value) const {
  const auto found = types_.find(value);
  return found == types_.end() ? onnx::TensorProto::UNDEFINED : found->second;
}

void OnnxView::add_type(const onnx::ValueInfoProto& value) {
  if (tensors_.contains(value.name())) return;  // which knows better
  types_[value.name()] = value.type().tensor_type().elem_type();
  if (!value.type().tensor_type().has_shape()) return;
  std::vector<int64_t> shape;
  for (const auto& dimension : value.type().tensor_type().shape().dim()) {
    shape.push_back(dimension.has_dim_value() ? dimension.dim_value() : kUnknown);
  }
  shapes_[value.name()] = shape;
}

graph::StandardNode to_standard(const OnnxView& view, const onnx::NodeProto& node) {
  graph::StandardNode standard{
      .type = node.op_type(),
      .domain = node.domain() == "ai.onnx" ? "" : node.domain(),
      .name = node.name(),
      .module = {},
      .attributes = {},
      .inputs = {},
      .consumers = {},
      .outputs = 0,
      .for_any_size = false,
  };
  standard.opset = view.opset(standard.domain);
  for (const auto& attribute : node.attribute()) {
    standard.attributes.emplace(attribute.name(), to_attribute(view, node, attribute));
  }
  for (const auto& input : node.input()) standard.consumers.push_back(view.consumers(input));
  for (int i = 0; i < node.output_size(); ++i) {
    if (!node.output(i).empty()) standard.outputs = static_cast<size_t>(i) + 1;
  }
  return standard;
}

}  // namespace dualdepth
