#include "dualdepth/graph/passes.h"

#include <vector>

#include "dualdepth/base/error.h"

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
  const std::vector<int> readers = graph.readers();
  std::vector<NodeId> renamed(graph.nodes().size());
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    const Node& node = graph.node(id);
    const auto* affine = std::get_if<Affine>(&node.operation);
    const auto* before =
        affine != nullptr ? std::get_if<Affine>(&graph.node(node.inputs[0]).operation) : nullptr;
    if (before != nullptr && readers[node.inputs[0]] == 1) {
      // The one before was added last: its place is taken by both.
      renamed[id] = renamed[node.inputs[0]];
      merged.replace(renamed[id], Affine{before->scale * affine->scale,
                                         before->shift * affine->scale + affine->shift});
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
      renamed.push_back(batched.add_input(input->name, shape));
    } else {
      renamed.push_back(add_copy(batched, node, renamed));
    }
  }
  batched.set_outputs(renamed_outputs(graph, renamed));
  return batched;
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
