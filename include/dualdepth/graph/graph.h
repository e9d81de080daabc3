#pragma once

#include <torch/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dualdepth/graph/operators.h"

// The network as a typed graph, independent of file formats: what the ONNX writer writes, what the
// passes rewrite and what a quantizer measures.
namespace dualdepth::graph {

// "Conv", "Relu" ...
std::string_view kind_name(const Operation& operation);

struct Node {
  Operation operation;
  std::vector<NodeId> inputs;  // nodes before this one
  std::string module;  // dotted path of the nn module it came from, "encoder.layer1.0.conv1"
  Shape shape;         // of its value, for the picture that the graph was made with
  torch::ScalarType type = torch::kFloat32;  // of its value
  // How the value is quantized: by FakeQuantize, also behind operators that only pass values on
  // (MaxPool, Upsample, a Concat whose inputs share it ...). Nothing: float.
  std::optional<FakeQuantize> quantization = {};
  // The name that its value has in the ONNX file which the graph was read from; empty for nodes
  // that were added. Names of the file's nodes follow from it: one node computes each value.
  std::string file_value = {};
};

struct Output {
  std::string name;
  NodeId node;
};

// Nodes in an order in which each comes after its inputs. Adding a node infers its shape and checks
// what it needs: a graph that exists is a valid one.
class Graph {
 public:
  // Throws Error naming the module and kind when the inputs do not fit the operation: wrong number,
  // channels, spatial size, a tensor of another shape or type, or a non-finite weight.
  NodeId add(Operation operation, std::vector<NodeId> inputs, std::string module);
  NodeId add_input(std::string name, Shape shape, torch::ScalarType type = torch::kFloat32);

  // Another operation in the node's place, with the same inputs and the same shape of value.
  // Throws Error as add() does and when the shape would change.
  void replace(NodeId id, Operation operation);

  void set_file_value(NodeId id, std::string name) { nodes_.at(id).file_value = std::move(name); }

  // Replaces the outputs.
  void set_outputs(std::vector<Output> outputs);

  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<Output>& outputs() const { return outputs_; }
  const Node& node(NodeId id) const { return nodes_.at(id); }

  // The output of that name. Throws Error that lists those there are.
  NodeId output(std::string_view name) const;

  // The input. Throws Error unless there is exactly one.
  const Node& input() const;

 private:
  Node infer(Operation operation, std::vector<NodeId> inputs, std::string module) const;

  std::vector<Node> nodes_;
  std::vector<Output> outputs_;
};

// What `outputs()` name.
std::vector<NodeId> output_nodes(const Graph& graph);

// Adds a node of another graph to `to`, with its inputs renamed[input].
NodeId add_copy(Graph& to, const Node& node, const std::vector<NodeId>& renamed);

// The outputs of another graph, renamed[node].
std::vector<Output> renamed_outputs(const Graph& from, const std::vector<NodeId>& renamed);

// The graph with another node behind `id`, which all that read `id` read now. Later nodes move by
// one.
Graph insert_behind(const Graph& graph, NodeId id, const Operation& operation);

// "encoder.layer1" of "encoder.layer1.0"; empty for a name without a dot.
std::string parent_module(const std::string& module);

// A name for each node that is unique in the graph and shows where it comes from:
// "/encoder/layer1/0/conv1/Conv", "/encoder/layer1/0/Relu_1".
std::vector<std::string> node_names(const Graph& graph);

// Node::quantization.
std::optional<FakeQuantize> grid_of(const Graph& graph, NodeId id);

// Multiply-accumulates of one node for the graph's picture; 0 where no weights are multiplied.
int64_t multiply_accumulates(const Graph& graph, NodeId id);

}  // namespace dualdepth::graph
