#include "dualdepth/deploy/equalize.h"

#include <algorithm>
#include <vector>

namespace dualdepth::deploy {
namespace {

constexpr double kLeastFactor = 0.1;
constexpr double kGreatestFactor = 10;
constexpr double kNothing = 1e-12;  // keeps logarithms finite

const Conv* conv_of(const Graph& graph, NodeId id) {
  return std::get_if<Conv>(&graph.node(id).operation);
}

std::vector<NodeId> conv_readers(const Graph& graph, NodeId map) {
  std::vector<NodeId> readers;
  for (NodeId id = map + 1; id < graph.nodes().size(); ++id) {
    const bool reads = std::ranges::count(graph.node(id).inputs, map) > 0;
    if (reads && conv_of(graph, id) != nullptr) readers.push_back(id);
  }
  return readers;
}

}  // namespace

Graph equalize_channels(const Graph& graph, NodeId map, const torch::Tensor& greatest) {
  if (!std::holds_alternative<Relu>(graph.node(map).operation)) return graph;
  const NodeId maker = graph.node(map).inputs.at(0);
  const auto counts = graph.readers();
  if (conv_of(graph, maker) == nullptr || counts.at(maker) != 1) return graph;
  const auto readers = conv_readers(graph, map);
  if (readers.empty() || counts.at(map) != static_cast<int>(readers.size())) return graph;

  auto weights = torch::zeros_like(greatest);
  for (const NodeId reader : readers) {
    const auto size = conv_of(graph, reader)->weight.abs();
    weights = torch::maximum(weights, size.amax({0, 2, 3}) / size.max().clamp_min(kNothing));
  }
  const auto logarithm =
      (greatest.clamp_min(kNothing).log() - weights.clamp_min(kNothing).log()) / 2;
  // A channel that never lives says nothing about the others.
  const auto living = logarithm.masked_select((greatest > 0).logical_and(weights > 0));
  if (living.numel() == 0) return graph;
  const auto factor = (logarithm - living.mean()).exp().clamp(kLeastFactor, kGreatestFactor);

  Graph equalized = graph;
  Conv made = *conv_of(graph, maker);
  made.weight = made.weight / factor.view({-1, 1, 1, 1});
  made.bias = made.bias / factor;
  equalized.replace(maker, std::move(made));
  for (const NodeId reader : readers) {
    Conv conv = *conv_of(graph, reader);
    conv.weight = conv.weight * factor.view({1, -1, 1, 1});
    equalized.replace(reader, std::move(conv));
  }
  return equalized;
}

}  // namespace dualdepth::deploy
