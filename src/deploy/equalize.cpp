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

// A convolution that reads a map, whose channels are `first` and following of its input.
struct ChannelReader {
  NodeId conv = 0;
  int64_t first = 0;
};

// Follows a value through Upsample and Concat to the convolutions behind. False when anything else
// reads it.
bool find_readers(const Graph& graph, NodeId value, int64_t first,
                  std::vector<ChannelReader>& readers) {
  for (const Output& output : graph.outputs()) {
    if (output.node == value) return false;
  }
  for (NodeId id = value + 1; id < graph.nodes().size(); ++id) {
    const Node& node = graph.node(id);
    int64_t channel = first;
    for (const NodeId input : node.inputs) {
      if (input == value) {
        if (std::holds_alternative<Conv>(node.operation)) {
          readers.push_back({id, channel});
        } else if (std::holds_alternative<Upsample>(node.operation) ||
                   std::holds_alternative<Concat>(node.operation)) {
          if (!find_readers(graph, id, channel, readers)) return false;
        } else {
          return false;
        }
      }
      channel += graph.node(input).shape[1];
    }
  }
  return true;
}

}  // namespace

std::optional<NodeId> concat_behind(const Graph& graph, NodeId map) {
  for (NodeId id = map + 1; id < graph.nodes().size(); ++id) {
    const Node& node = graph.node(id);
    if (std::ranges::count(node.inputs, map) == 0) continue;
    if (std::holds_alternative<Concat>(node.operation)) return id;
    if (std::holds_alternative<Upsample>(node.operation)) return concat_behind(graph, id);
  }
  return std::nullopt;
}

Graph equalize_channels(const Graph& graph, NodeId map, const torch::Tensor& greatest,
                        const EqualizeOptions& options) {
  if (!std::holds_alternative<Relu>(graph.node(map).operation)) return graph;
  const NodeId maker = graph.node(map).inputs.at(0);
  if (conv_of(graph, maker) == nullptr || graph.readers().at(maker) != 1) return graph;
  std::vector<ChannelReader> readers;
  if (!find_readers(graph, map, 0, readers) || readers.empty()) return graph;

  const int64_t channels = greatest.size(0);
  auto weights = torch::zeros_like(greatest);
  for (const ChannelReader& reader : readers) {
    const auto size = conv_of(graph, reader.conv)->weight.abs();
    const auto own = size.narrow(1, reader.first, channels).amax({0, 2, 3});
    weights = torch::maximum(weights, own / size.max().clamp_min(kNothing));
  }
  const auto logarithm = options.balance * greatest.clamp_min(kNothing).log() -
                         (1 - options.balance) * weights.clamp_min(kNothing).log();
  // A channel that never lives says nothing about the others.
  const auto lives = (greatest > 0).logical_and(weights > 0);
  if (!lives.any().item<bool>()) return graph;
  auto level = logarithm.masked_select(lives).mean();
  double least = kLeastFactor;
  double most = kGreatestFactor;
  if (options.beside > 0) {
    // Of g / s with t = 1.
    const auto reached = (greatest / logarithm.exp()).masked_select(lives).max();
    level = -(reached / options.beside).log();
    least *= kLeastFactor;
    most *= kGreatestFactor;
  }
  const auto factor = (logarithm - level).exp().clamp(least, most);

  Graph equalized = graph;
  Conv made = *conv_of(graph, maker);
  made.weight = made.weight / factor.view({-1, 1, 1, 1});
  made.bias = made.bias / factor;
  equalized.replace(maker, std::move(made));
  for (const ChannelReader& reader : readers) {
    Conv conv = *conv_of(equalized, reader.conv);
    conv.weight = conv.weight.clone();
    conv.weight.narrow(1, reader.first, channels).mul_(factor.view({1, -1, 1, 1}));
    equalized.replace(reader.conv, std::move(conv));
  }
  return equalized;
}

}  // namespace dualdepth::deploy
