#include "dualdepth/graph/patterns.h"

#include <algorithm>

namespace dualdepth::graph {

Consumers::Consumers(const Graph& graph)
    : nodes_(graph.nodes().size()), is_output_(graph.nodes().size(), false) {
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    for (const NodeId input : graph.node(id).inputs) nodes_[input].push_back(id);
  }
  for (const Output& output : graph.outputs()) is_output_[output.node] = true;
}

std::optional<NodeId> Consumers::only(NodeId id) const {
  if (is_output(id) || of(id).size() != 1) return std::nullopt;
  return of(id).front();
}

bool is_clamp(const Graph& graph, NodeId id) { return is<Relu>(graph, id) || is<Clip>(graph, id); }

std::optional<NodeId> relu_behind(const Graph& graph, const Consumers& consumers, NodeId id) {
  const auto next = consumers.only(id);
  return next && is<Relu>(graph, *next) ? next : std::nullopt;
}

std::vector<NodeId> integer_head(const Graph& graph) {
  std::optional<NodeId> last;
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    if (is<ArgMax>(graph, id)) last = id;
  }
  for (const Output& output : graph.outputs()) {
    if (!last && output.name == "logits") last = output.node;
  }
  if (!last) return {};
  const Consumers consumers(graph);
  std::vector<NodeId> chain{*last};
  while (!is<Conv>(graph, chain.front())) {
    const NodeId id = chain.front();
    const bool passes = is<ArgMax>(graph, id) || is<Relu>(graph, id) || is<FakeQuantize>(graph, id);
    if (!passes) return {};
    const NodeId input = graph.node(id).inputs.at(0);
    if (consumers.only(input) != id) return {};
    chain.insert(chain.begin(), input);
  }
  return chain;
}

std::optional<NodeId> logits_of(const Graph& graph) {
  auto head = integer_head(graph);
  if (head.size() > 1 && is<ArgMax>(graph, head.back())) head.pop_back();
  return head.empty() ? std::nullopt : std::optional(head.back());
}

bool has_centred_head(const Graph& graph) {
  const auto head = integer_head(graph);
  return head.size() > 1 && is<Relu>(graph, head[1]);
}

bool sums_groups(const Conv& conv) {
  constexpr double kRounding = 1e-5;
  const Pair none{0, 0};
  if (conv.groups != 1 || conv.padding != none || conv.weight.size(2) != 1 ||
      conv.weight.size(3) != 1 || conv.bias.count_nonzero().item<int64_t>() > 0) {
    return false;
  }
  const auto ones = (conv.weight - 1).abs().le(kRounding);
  const bool only_ones = ones.logical_or(conv.weight.eq(0)).all().item<bool>();
  return only_ones && ones.sum(0).eq(1).all().item<bool>();
}

std::optional<PositionHead> position_head(const Graph& graph) {
  const Consumers consumers(graph);
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    const auto* sum = std::get_if<Conv>(&graph.node(id).operation);
    if (sum == nullptr) continue;
    const NodeId clip = graph.node(id).inputs[0];
    const auto* bounds = std::get_if<Clip>(&graph.node(clip).operation);
    if (bounds == nullptr || bounds->low != 0 || bounds->high != 1 || consumers.only(clip) != id) {
      continue;
    }
    const NodeId conv = graph.node(clip).inputs[0];
    if (is<Conv>(graph, conv) && consumers.only(conv) == clip && sums_groups(*sum)) {
      return PositionHead{conv, clip, id};
    }
  }
  return std::nullopt;
}

std::vector<UpsampledConv> upsampled_convs(const Graph& graph) {
  const Consumers consumers(graph);
  std::vector<UpsampledConv> found;
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    if (!is<Conv>(graph, id)) continue;
    const NodeId in = graph.node(id).inputs[0];
    if (consumers.only(in) != id) continue;
    if (is<Upsample>(graph, in)) found.push_back({.conv = id, .upsample = in, .concat = {}});
    const auto* concat = std::get_if<Concat>(&graph.node(in).operation);
    if (concat == nullptr || concat->axis != 1) continue;
    int64_t first = 0;
    for (const NodeId part : graph.node(in).inputs) {
      if (is<Upsample>(graph, part) && consumers.only(part) == in) {
        found.push_back({.conv = id, .upsample = part, .concat = in, .first = first});
      }
      first += graph.node(part).shape.at(1);
    }
  }
  return found;
}

}  // namespace dualdepth::graph
