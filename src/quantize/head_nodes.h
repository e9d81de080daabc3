#pragma once

#include <optional>

#include "dualdepth/graph/graph.h"

namespace dualdepth::quantize {

// The integer head has a Relu behind its convolution (graph/centring.h).
inline bool has_centred_head(const graph::Graph& graph) {
  const auto head = graph::integer_head(graph);
  return head.size() > 1 && std::holds_alternative<graph::Relu>(graph.node(head[1]).operation);
}

// The node whose value the winners of an integer head are.
inline std::optional<graph::NodeId> logits_of(const graph::Graph& graph) {
  auto head = graph::integer_head(graph);
  if (head.empty()) return std::nullopt;
  if (std::holds_alternative<graph::ArgMax>(graph.node(head.back()).operation)) head.pop_back();
  return head.back();
}

}  // namespace dualdepth::quantize
