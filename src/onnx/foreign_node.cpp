#include "foreign_node.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>

#include "dualdepth/base/error.h"
#include "onnx_tensor.h"

namespace dualdepth {
namespace {

using graph::ConstantValue;
using graph::Foreign;
using graph::NodeId;
using graph::StandardValue;

[[noreturn]] void fail(const OnnxView& view, const onnx::NodeProto& node,
                       const std::string& expected, const std::string& got) {
  throw Error({.subject = fmt::format("{}: node {} ({})", view.file().path().string(), node.name(),
                                      node.op_type()),
               .expected = expected,
               .got = got,
               .fix = "docs/deployment.md lists the operators that the network graph knows"});
}

// Such a graph also reads values of the file that are no inputs of the node.
void expect_no_subgraph(const OnnxView& view, const onnx::NodeProto& node) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g() || attribute.graphs_size() > 0) {
      fail(view, node, "an operator without a graph of its own", attribute.name());
    }
  }
}

}  // namespace

// The node as a model of its own. Sizes stay open, so that it runs for any size of picture.
std::string ForeignNodes::model_of(const onnx::NodeProto& node, int output, int element,
                                   const std::vector<StandardValue>& inputs,
                                   const graph::Graph& graph) const {
  onnx::ModelProto model;
  model.set_ir_version(view_.file().model().ir_version());
  *model.mutable_opset_import() = view_.file().model().opset_import();
  auto* proto = model.mutable_graph();
  proto->set_name("node");
  *proto->add_node() = node;
  std::set<std::string> seen;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto& name = node.input(static_cast<int>(i));
    if (name.empty() || !seen.insert(name).second) continue;
    if (const auto* constant = std::get_if<ConstantValue>(&inputs[i])) {
      set_tensor(*proto->add_initializer(), name, constant->value, constant->value.sizes().vec());
      continue;
    }
    const graph::Node& input = graph.node(std::get<NodeId>(inputs[i]));
    auto* value = proto->add_input();
    value->set_name(name);
    auto* type = value->mutable_type()->mutable_tensor_type();
    type->set_elem_type(element_type_of(input.type));
    for (size_t axis = 0; axis < input.shape.size(); ++axis) {
      type->mutable_shape()->add_dim()->set_dim_param(fmt::format("d{}_{}", i, axis));
    }
  }
  proto->add_output()->set_name(node.output(output));
  proto->mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(element);
  return model.SerializeAsString();
}

std::vector<StandardValue> ForeignNodes::add(graph::Graph& graph, const onnx::NodeProto& node,
                                             const std::vector<StandardValue>& inputs,
                                             const std::string& module) {
  expect_no_subgraph(view_, node);
  if (!inferred_) {
    inferred_.emplace(view_.file());
    inferred_->infer_shapes(inputs_);
  }
  std::vector<NodeId> operands;
  std::set<std::string> seen;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto* id = std::get_if<NodeId>(&inputs[i]);
    if (id != nullptr && seen.insert(node.input(static_cast<int>(i))).second) {
      operands.push_back(*id);
    }
    if (std::holds_alternative<graph::QuantizedValue>(inputs[i])) {
      fail(view_, node, "a DequantizeLinear behind each QuantizeLinear", node.op_type());
    }
  }
  std::vector<StandardValue> results;
  for (int i = 0; i < node.output_size(); ++i) {
    const std::string& name = node.output(i);
    if (name.empty()) {
      results.emplace_back();
      continue;
    }
    const auto shape = inferred_->shape(name);
    const auto element = scalar_type_of(inferred_->element_type(name));
    if (!element || !inferred_->knows_shape(name) || std::ranges::count(shape, kUnknown) > 0) {
      fail(view_, node, "an operator whose result has a known shape", "another");
    }
    Foreign foreign{.type = node.op_type(),
                    .model = model_of(node, i, inferred_->element_type(name), inputs, graph),
                    .output = static_cast<size_t>(i),
                    .shape = shape,
                    .element = *element};
    foreign.compute = options_.foreign(foreign.model);
    results.emplace_back(graph.add(std::move(foreign), operands, module));
  }
  spdlog::info(
      "{}: {} stays in float and is computed by the runtime: the network graph has no "
      "such operator",
      node.name(), node.op_type());
  return results;
}

std::vector<StandardValue> ForeignNodes::fold(const onnx::NodeProto& node,
                                              const std::vector<StandardValue>& inputs) const {
  expect_no_subgraph(view_, node);
  std::vector<StandardValue> results;
  for (int i = 0; i < node.output_size(); ++i) {
    if (node.output(i).empty()) {
      results.emplace_back();
      continue;
    }
    const auto model = model_of(node, i, onnx::TensorProto::UNDEFINED, inputs, graph::Graph());
    const std::span<const torch::Tensor> no_inputs;
    results.emplace_back(ConstantValue{options_.foreign(model)(no_inputs)});
  }
  return results;
}

}  // namespace dualdepth
