#include "dualdepth/graph/passes.h"

#include <algorithm>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/patterns.h"

namespace dualdepth::graph {
namespace {

NodeId append_level(Graph& graph, NodeId logits, const ModelParams& params) {
  const std::string& module = graph.node(logits).module;
  if (params.codec.codec != CodecKind::kContinuous) return graph.add(ArgMax{}, {logits}, module);
  const auto steps = static_cast<float>(params.codec.n_integer_levels - 1);
  const NodeId integer = graph.add(Sigmoid{}, {logits}, module);
  return graph.add(Affine{torch::full({1}, steps), torch::zeros({1})}, {integer}, module);
}

}  // namespace

Graph merge_affine(const Graph& graph) {
  Graph merged;
  const Consumers consumers(graph);
  std::vector<NodeId> renamed(graph.nodes().size());
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    const Node& node = graph.node(id);
    const auto* affine = std::get_if<Affine>(&node.operation);
    // In `merged`: what is before may be several already.
    const auto* before = affine != nullptr
                             ? std::get_if<Affine>(&merged.node(renamed[node.inputs[0]]).operation)
                             : nullptr;
    if (before != nullptr && consumers.only(node.inputs[0]) == id) {
      renamed[id] = renamed[node.inputs[0]];
      merged.replace(renamed[id], Affine{before->scale * affine->scale,
                                         before->shift * affine->scale + affine->shift});
      merged.set_file_value(renamed[id], node.file_value);
      continue;
    }
    renamed[id] = add_copy(merged, node, renamed);
  }
  merged.set_outputs(renamed_outputs(graph, renamed));
  return merged;
}

Graph with_batch(const Graph& graph, int64_t count) {
  Graph batched;
  std::vector<NodeId> renamed;
  for (const Node& node : graph.nodes()) {
    if (const auto* input = std::get_if<Input>(&node.operation)) {
      Shape shape = node.shape;
      shape.at(0) = count;
      renamed.push_back(batched.add_input(input->name, shape, node.type));
      batched.set_file_value(renamed.back(), node.file_value);
    } else if (std::holds_alternative<Foreign>(node.operation) && !node.shape.empty() &&
               count != 1) {
      throw Error({.subject = node.module,
                   .expected = "operators that the network graph knows, for a batch of several",
                   .got = std::string(kind_name(node.operation)),
                   .fix = "take a batch of 1"});
    } else {
      renamed.push_back(add_copy(batched, node, renamed));
    }
  }
  batched.set_outputs(renamed_outputs(graph, renamed));
  return batched;
}

Graph remove_unused(const Graph& graph) {
  const size_t count = graph.nodes().size();
  std::vector<bool> needed(count, false);
  for (const Output& output : graph.outputs()) needed[output.node] = true;
  for (NodeId id = count; id-- > 0;) {
    if (std::holds_alternative<Input>(graph.node(id).operation)) needed[id] = true;
    if (!needed[id]) continue;
    for (const NodeId input : graph.node(id).inputs) needed[input] = true;
  }
  if (std::ranges::find(needed, false) == needed.end()) return graph;
  Graph smaller;
  std::vector<NodeId> renamed(count);
  for (NodeId id = 0; id < count; ++id) {
    if (needed[id]) renamed[id] = add_copy(smaller, graph.node(id), renamed);
  }
  smaller.set_outputs(renamed_outputs(graph, renamed));
  return smaller;
}

Graph with_outputs(const Graph& graph, const ModelParams& params, ModelOutputs outputs) {
  if (outputs == ModelOutputs::kLogits) return graph;
  if (!params.use_dual_head && outputs == ModelOutputs::kLevels) {
    throw Error({.subject = "outputs",
                 .expected = "depth or logits, of a network with one head",
                 .got = "levels",
                 .fix = "export it with --outputs depth"});
  }
  Graph longer = graph;
  const NodeId logits = graph.output("logits");
  const std::string head = parent_module(graph.node(logits).module);
  if (!params.use_dual_head) {
    const NodeId sigmoid = longer.add(Sigmoid{}, {logits}, head);
    longer.set_outputs({{"depth", longer.add(ComposeDepth{params}, {sigmoid}, head)}});
    return longer;
  }
  const NodeId fraction = graph.output("fraction");
  const NodeId level = append_level(longer, logits, params);
  if (outputs == ModelOutputs::kLevels) {
    longer.set_outputs({{"level", level}, {"fraction", fraction}});
  } else {
    const NodeId depth = longer.add(ComposeDepth{params}, {level, fraction}, head);
    longer.set_outputs({{"depth", depth}});
  }
  return longer;
}

}  // namespace dualdepth::graph
