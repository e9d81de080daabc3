#include "dualdepth/graph/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/operator_table.h"

namespace dualdepth::graph {
namespace {

// That of FakeQuantize, or what all inputs of a node that passes values on share.
std::optional<FakeQuantize> quantization_behind(const Operation& operation,
                                                const std::vector<NodeId>& inputs,
                                                const std::vector<Node>& nodes) {
  if (const auto* own = std::get_if<FakeQuantize>(&operation)) return *own;
  if (inputs.empty() || !entry_of(operation).passes_values(operation)) return std::nullopt;
  const auto& first = nodes.at(inputs.front()).quantization;
  const bool shared = std::ranges::all_of(
      inputs, [&](NodeId input) { return nodes.at(input).quantization == first; });
  return shared ? first : std::nullopt;
}

std::string subject_of(const Operation& operation, const std::string& module) {
  return fmt::format("{} of {}", kind_name(operation), module.empty() ? "the network" : module);
}

}  // namespace

std::string_view kind_name(const Operation& operation) {
  return entry_of(operation).name(operation);
}

Node Graph::infer(Operation operation, std::vector<NodeId> inputs, std::string module) const {
  std::vector<ValueType> types;
  types.reserve(inputs.size());
  for (const NodeId input : inputs) types.push_back({nodes_.at(input).shape, nodes_[input].type});
  const Operands operands(subject_of(operation, module), std::move(types));
  ValueType type = entry_of(operation).infer(operation, operands);
  auto quantization = quantization_behind(operation, inputs, nodes_);
  return {std::move(operation),  std::move(inputs), std::move(module),
          std::move(type.shape), type.type,         quantization};
}

NodeId Graph::add(Operation operation, std::vector<NodeId> inputs, std::string module) {
  nodes_.push_back(infer(std::move(operation), std::move(inputs), std::move(module)));
  return nodes_.size() - 1;
}

void Graph::replace(NodeId id, Operation operation) {
  Node& node = nodes_.at(id);
  Node other = infer(std::move(operation), node.inputs, node.module);
  if (other.shape != node.shape || other.type != node.type) {
    throw Error({.subject = subject_of(other.operation, node.module),
                 .expected = to_text(node.shape),
                 .got = to_text(other.shape),
                 .fix = ""});
  }
  other.file_value = node.file_value;
  const bool requantized = other.quantization != node.quantization;
  node = std::move(other);
  if (!requantized) return;
  for (Node& later : std::span(nodes_).subspan(id + 1)) {
    later.quantization = quantization_behind(later.operation, later.inputs, nodes_);
  }
}

NodeId Graph::add_input(std::string name, Shape shape, torch::ScalarType type) {
  nodes_.push_back({Input{std::move(name)}, {}, "", std::move(shape), type});
  return nodes_.size() - 1;
}

void Graph::set_outputs(std::vector<Output> outputs) {
  for (const Output& output : outputs) {
    if (output.node >= nodes_.size()) throw std::out_of_range("output of a node that is not there");
  }
  outputs_ = std::move(outputs);
}

NodeId Graph::output(std::string_view name) const {
  std::string names;
  for (const Output& output : outputs_) {
    if (output.name == name) return output.node;
    names += (names.empty() ? "" : ", ") + output.name;
  }
  throw Error({.subject = "graph",
               .expected = fmt::format("an output {}", name),
               .got = names.empty() ? "no outputs" : names,
               .fix = ""});
}

const Node& Graph::input() const {
  const Node* input = nullptr;
  for (const Node& node : nodes_) {
    if (!std::holds_alternative<Input>(node.operation)) continue;
    if (input != nullptr) {
      throw Error({.subject = "graph", .expected = "one input", .got = "several", .fix = ""});
    }
    input = &node;
  }
  if (input != nullptr) return *input;
  throw Error({.subject = "graph", .expected = "an input", .got = "none", .fix = ""});
}

std::vector<NodeId> output_nodes(const Graph& graph) {
  std::vector<NodeId> nodes;
  nodes.reserve(graph.outputs().size());
  for (const Output& output : graph.outputs()) nodes.push_back(output.node);
  return nodes;
}

NodeId add_copy(Graph& to, const Node& node, const std::vector<NodeId>& renamed) {
  if (const auto* input = std::get_if<Input>(&node.operation)) {
    const NodeId id = to.add_input(input->name, node.shape, node.type);
    to.set_file_value(id, node.file_value);
    return id;
  }
  std::vector<NodeId> inputs;
  inputs.reserve(node.inputs.size());
  for (const NodeId read : node.inputs) inputs.push_back(renamed.at(read));
  const NodeId id = to.add(node.operation, std::move(inputs), node.module);
  to.set_file_value(id, node.file_value);
  return id;
}

std::vector<Output> renamed_outputs(const Graph& from, const std::vector<NodeId>& renamed) {
  std::vector<Output> outputs = from.outputs();
  for (Output& output : outputs) output.node = renamed.at(output.node);
  return outputs;
}

Graph insert_behind(const Graph& graph, NodeId id, const Operation& operation) {
  Graph longer;
  std::vector<NodeId> renamed;
  renamed.reserve(graph.nodes().size());
  for (NodeId old = 0; old < graph.nodes().size(); ++old) {
    renamed.push_back(add_copy(longer, graph.node(old), renamed));
    if (old == id) renamed[id] = longer.add(operation, {renamed[id]}, graph.node(old).module);
  }
  longer.set_outputs(renamed_outputs(graph, renamed));
  return longer;
}

std::string parent_module(const std::string& module) {
  const size_t dot = module.rfind('.');
  return dot == std::string::npos ? "" : module.substr(0, dot);
}

std::vector<std::string> node_names(const Graph& graph) {
  std::vector<std::string> names;
  std::map<std::string, int> seen;
  for (const Node& node : graph.nodes()) {
    if (const auto* input = std::get_if<Input>(&node.operation)) {
      names.push_back(input->name);
      continue;
    }
    std::string path = node.module.empty() ? "" : "/" + node.module;
    std::ranges::replace(path, '.', '/');
    std::string name = fmt::format("{}/{}", path, kind_name(node.operation));
    if (const int before = seen[name]++; before > 0) name += fmt::format("_{}", before);
    names.push_back(std::move(name));
  }
  return names;
}

std::optional<FakeQuantize> grid_of(const Graph& graph, NodeId id) {
  return graph.node(id).quantization;
}

int64_t multiply_accumulates(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  return entry_of(node.operation).multiply_accumulates(node.operation, node.shape);
}

}  // namespace dualdepth::graph
