#include "dualdepth/graph/passes.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/codec/level_distribution.h"
#include "dualdepth/codec/threshold_codec.h"
#include "dualdepth/graph/patterns.h"

namespace dualdepth::graph {
namespace {

// Appends the nodes behind the logits of a traced network.
class OutputBuilder {
 public:
  OutputBuilder(const Graph& graph, const CodecOptions& codec, const OutputForm& form)
      : graph_(graph),
        codec_(codec),
        form_(form),
        logits_(graph.output("logits")),
        module_(graph.node(logits_).module),
        head_(parent_module(module_)) {}

  Graph run(HeadKind head) && {
    switch (head) {
      case HeadKind::kCategorical:
        add_levels();
        break;
      case HeadKind::kCumulative:
        add_position();
        break;
      case HeadKind::kSigmoid:
        set_depth(HeadKind::kSigmoid, {graph_.add(Sigmoid{}, {logits_}, head_)});
        break;
      case HeadKind::kHilbert:
        graph_.set_outputs({{"coordinates", graph_.add(Sigmoid{}, {logits_}, head_)}});
        break;
    }
    return std::move(graph_);
  }

 private:
  void set_depth(HeadKind head, std::vector<NodeId> inputs) {
    graph_.set_outputs(
        {{"depth", graph_.add(ComposeDepth{head, codec_}, std::move(inputs), head_)}});
  }

  void add_levels() {
    const NodeId fraction = graph_.output("fraction");
    if (codec_.decoding == LevelDecoding::kExpectation) return add_expectation(fraction);
    const NodeId level = append_level();
    if (form_.outputs == ModelOutputs::kDepth) {
      set_depth(HeadKind::kCategorical, {level, fraction});
    } else {
      graph_.set_outputs({{"level", level}, {"fraction", fraction}});
    }
  }

  // The mean place of the levels (codec/level_distribution.h): two sums over them, as 1x1
  // convolutions.
  void add_expectation(NodeId fraction) {
    const auto [start, slope] = level_places(codec_);
    const NodeId shares = graph_.add(Softmax{1}, {logits_}, module_);
    const auto sum = [&](const torch::Tensor& weights) {
      return graph_.add(Conv{.weight = weights.view({1, -1, 1, 1}), .bias = torch::zeros({1})},
                        {shares}, head_ + ".mean");
    };
    const NodeId within = graph_.add(Binary{BinaryFunction::kMul}, {sum(slope), fraction}, head_);
    const NodeId place = graph_.add(Add{}, {sum(start), within}, head_);
    if (codec_.codec == CodecKind::kRounded) {
      const auto greatest = static_cast<float>(codec_.max_depth + 1);
      graph_.set_outputs({{"depth", graph_.add(Clip{0, greatest}, {place}, head_)}});
    } else {
      set_depth(HeadKind::kCumulative, {place});
    }
  }

  NodeId append_level() {
    if (codec_.codec != CodecKind::kContinuous) return graph_.add(ArgMax{}, {logits_}, module_);
    const auto steps = static_cast<float>(codec_.n_integer_levels - 1);
    const NodeId integer = graph_.add(Sigmoid{}, {logits_}, module_);
    return graph_.add(Affine{torch::full({1}, steps), torch::zeros({1})}, {integer}, module_);
  }

  void add_position() {
    const bool is_depth = form_.outputs == ModelOutputs::kDepth;
    const int64_t levels = codec_.n_integer_levels;
    const int64_t groups = is_depth ? 1 : position_groups(levels, form_.groups);
    const NodeId clipped = graph_.add(Clip{0, 1}, {logits_}, module_);
    const NodeId sums =
        graph_.add(Conv{.weight = group_filters(levels, groups), .bias = torch::zeros({groups})},
                   {clipped}, head_ + ".sum");
    if (is_depth) {
      set_depth(HeadKind::kCumulative, {sums});
    } else {
      graph_.set_outputs({{"position", sums}});
    }
  }

  Graph graph_;
  const CodecOptions& codec_;
  OutputForm form_;
  NodeId logits_;
  std::string module_, head_;
};

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

Graph with_outputs(const Graph& graph, HeadKind head, const CodecOptions& codec,
                   const OutputForm& form) {
  require_outputs(head, codec.decoding, form.outputs);
  if (form.outputs == ModelOutputs::kLogits) return graph;
  return OutputBuilder(graph, codec, form).run(head);
}

}  // namespace dualdepth::graph
