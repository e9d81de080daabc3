#include "dualdepth/graph/equalize.h"

#include <algorithm>
#include <set>

#include "dualdepth/graph/patterns.h"

namespace dualdepth::graph {
namespace {

constexpr double kLeastFactor = 0.1;
constexpr double kGreatestFactor = 10;
constexpr double kNothing = 1e-12;  // keeps logarithms finite
constexpr double kLeastShare = 0.02;
constexpr double kValuesBeside = 0.75;

const Conv& conv_at(const Graph& graph, NodeId id) {
  return std::get<Conv>(graph.node(id).operation);
}

bool keeps_channels(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (is<Add>(graph, id)) {
    // One that repeats a channel or a constant over the others does not.
    return std::ranges::all_of(node.inputs, [&](NodeId input) {
      return graph.node(input).shape.size() == 4 && graph.node(input).shape[1] == node.shape[1];
    });
  }
  return is<Relu>(graph, id) || is<MaxPool>(graph, id) || is<Upsample>(graph, id);
}

// Walks from a value to all that share its channels.
class GroupSearch {
 public:
  explicit GroupSearch(const Graph& graph) : graph_(graph), consumers_(graph) {}

  std::optional<ChannelGroup> run(NodeId start) {
    if (!visit(start)) return std::nullopt;
    for (const NodeId id : values_) {
      if (is<Conv>(graph_, id)) group_.makers.push_back(id);
      if (!is_inside_relu(id)) group_.maps.push_back(id);
    }
    if (group_.readers.empty()) return std::nullopt;
    return group_;
  }

 private:
  bool visit(NodeId id) {
    if (!values_.insert(id).second) return true;
    return visit_makers(id) && visit_readers(id, 0);
  }

  bool visit_makers(NodeId id) {
    if (is<Conv>(graph_, id)) return true;
    return keeps_channels(graph_, id) &&
           std::ranges::all_of(graph_.node(id).inputs, [&](NodeId input) { return visit(input); });
  }

  // first: where the group's channels begin in the value; above 0 only behind a Concat.
  bool visit_readers(NodeId value, int64_t first) {
    if (consumers_.is_output(value)) return false;
    const auto& consumers = consumers_.of(value);
    return std::ranges::all_of(std::set(consumers.begin(), consumers.end()), [&](NodeId id) {
      int64_t channel = first;
      for (const NodeId input : graph_.node(id).inputs) {
        if (input == value && !visit_reader(id, value, channel)) return false;
        if (is_joined(id)) channel += graph_.node(input).shape.at(1);
      }
      return true;
    });
  }

  bool visit_reader(NodeId id, NodeId value, int64_t channel) {
    if (is<Conv>(graph_, id)) {
      // The filters of several groups read some of the channels each.
      if (conv_at(graph_, id).groups != 1) return false;
      group_.readers.push_back({id, channel});
      return true;
    }
    const bool joined = is_joined(id);
    if (values_.contains(value) && !joined) return keeps_channels(graph_, id) && visit(id);
    // Behind a Concat there are other channels too.
    return (joined || is<Upsample>(graph_, id)) && visit_readers(id, channel);
  }

  bool is_joined(NodeId id) const {
    const auto* concat = std::get_if<Concat>(&graph_.node(id).operation);
    return concat != nullptr && concat->axis == 1;
  }

  bool is_inside_relu(NodeId id) const { return relu_behind(graph_, consumers_, id).has_value(); }

  const Graph& graph_;
  Consumers consumers_;
  std::set<NodeId> values_;
  ChannelGroup group_;
};

// The greatest weight that reads each channel of a convolution's input.
torch::Tensor reading_weights(const Graph& graph, NodeId conv) {
  return conv_at(graph, conv).weight.abs().amax({0, 2, 3});
}

// How many times the greatest weight on what lies beside the group in Concats its own would be,
// were its channels divided by `factors`.
torch::Tensor weights_against_beside(const Graph& graph, const ChannelGroup& group,
                                     const torch::Tensor& factors) {
  auto own = torch::zeros({});
  auto beside = torch::zeros({});
  for (const ChannelReader& reader : group.readers) {
    auto weights = reading_weights(graph, reader.conv);
    auto part = weights.narrow(0, reader.first, factors.size(0));
    if (weights.size(0) == part.size(0)) continue;
    own = torch::maximum(own, (part * factors).max());
    part.zero_();
    beside = torch::maximum(beside, weights.max());
  }
  return own.clamp_min(kNothing) / beside.clamp_min(kNothing);
}

// Of each channel, relative to the greatest: the greatest over convolutions.
void include(torch::Tensor& all, const torch::Tensor& sizes, const torch::Tensor& greatest) {
  all = torch::maximum(all, sizes / greatest.clamp_min(kNothing));
}

}  // namespace

std::optional<ChannelGroup> channel_group(const Graph& graph, NodeId value) {
  return GroupSearch(graph).run(value);
}

std::vector<ChannelGroup> channel_groups(const Graph& graph) {
  std::vector<ChannelGroup> groups;
  std::set<NodeId> taken;
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    if (!is<Conv>(graph, id) || taken.contains(id)) continue;
    auto group = channel_group(graph, id);
    if (!group) continue;
    taken.insert(group->makers.begin(), group->makers.end());
    groups.push_back(std::move(*group));
  }
  return groups;
}

torch::Tensor equalizing_factors(const Graph& graph, const ChannelGroup& group,
                                 const torch::Tensor& greatest, const EqualizeOptions& options) {
  const int64_t channels = greatest.size(0);
  auto filters = torch::zeros_like(greatest);
  for (const NodeId maker : group.makers) {
    const auto sizes = conv_at(graph, maker).weight.abs().amax({1, 2, 3});
    include(filters, sizes, sizes.max());
  }
  auto weights = torch::zeros_like(greatest);
  for (const ChannelReader& reader : group.readers) {
    const auto sizes = reading_weights(graph, reader.conv);
    include(weights, sizes.narrow(0, reader.first, channels), sizes.max());
  }
  const auto log_of = [](const torch::Tensor& values) { return values.clamp_min(kNothing).log(); };
  const auto values = greatest.clamp_min(kLeastShare * greatest.max().item<double>());
  const auto logarithm = options.filters * log_of(filters) + options.values * log_of(values) -
                         (1 - options.filters - options.values) * log_of(weights);
  // A channel that never lives says nothing about the others.
  const auto lives = (greatest > 0).logical_and(weights > 0);
  if (!lives.any().item<bool>()) return torch::ones_like(greatest);
  auto level = logarithm.masked_select(lives).mean();
  double least = kLeastFactor;
  double most = kGreatestFactor;
  if (options.beside > 0) {
    // With t = 1.
    const auto factors = torch::where(lives, logarithm.exp(), 0);
    const auto reached = (greatest / factors).masked_select(lives).max() / options.beside;
    level = (1 - kValuesBeside) * weights_against_beside(graph, group, factors).log() -
            kValuesBeside * reached.log();
    least *= kLeastFactor;
    most *= kGreatestFactor;
  }
  return (logarithm - level).exp().clamp(least, most);
}

Graph scale_channels(const Graph& graph, const ChannelGroup& group, const torch::Tensor& factors) {
  Graph scaled = graph;
  for (const NodeId maker : group.makers) {
    Conv conv = conv_at(scaled, maker);
    conv.weight = conv.weight / factors.view({-1, 1, 1, 1});
    conv.bias = conv.bias / factors;
    scaled.replace(maker, std::move(conv));
  }
  for (const ChannelReader& reader : group.readers) {
    Conv conv = conv_at(scaled, reader.conv);
    conv.weight = conv.weight.clone();
    conv.weight.narrow(1, reader.first, factors.size(0)).mul_(factors.view({1, -1, 1, 1}));
    scaled.replace(reader.conv, std::move(conv));
  }
  return scaled;
}

}  // namespace dualdepth::graph
