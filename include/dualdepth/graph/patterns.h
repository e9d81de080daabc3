#pragma once

#include <optional>
#include <vector>

#include "dualdepth/graph/graph.h"

// The arrangements of nodes that passes, quantizers and back ends look for, each recognized here
// alone.
namespace dualdepth::graph {

template <class Kind>
bool is(const Graph& graph, NodeId id) {
  return std::holds_alternative<Kind>(graph.node(id).operation);
}

// Which nodes and outputs read each node's value.
class Consumers {
 public:
  explicit Consumers(const Graph& graph);

  // In order; a node that reads the value twice is there twice.
  const std::vector<NodeId>& of(NodeId id) const { return nodes_.at(id); }
  bool is_output(NodeId id) const { return is_output_.at(id); }
  // The one node that reads the value; nothing when several nodes or an output do.
  std::optional<NodeId> only(NodeId id) const;

 private:
  std::vector<std::vector<NodeId>> nodes_;
  std::vector<bool> is_output_;
};

// A Relu or Clip: what runtimes compute together with the operator before it, since it only narrows
// the range of its value.
bool is_clamp(const Graph& graph, NodeId id);

// The Relu that is the only consumer of a value.
std::optional<NodeId> relu_behind(const Graph& graph, const Consumers& consumers, NodeId id);

// The integer head: nodes from its convolution to what returns its result, each the only consumer
// of the one before: the convolution, then Relu and FakeQuantize if they are there, then ArgMax if
// it is there. Empty when the graph has neither an ArgMax over a convolution nor an output
// `logits`.
std::vector<NodeId> integer_head(const Graph& graph);

// The node whose value the winners of the integer head are: the last of integer_head() before
// ArgMax.
std::optional<NodeId> logits_of(const Graph& graph);

// The integer head has a Relu behind its convolution (centring.h).
bool has_centred_head(const Graph& graph);

// True when a 1x1 convolution adds up groups of channels: each channel that it reads has the weight
// 1 in one filter and 0 in the others, and there is no bias. Weights of 8 bits may be 1 to
// rounding.
bool sums_groups(const Conv& conv);

// The end of a cumulative head: a convolution, the Clip to [0, 1] that is its only consumer, and
// the convolution that sums_groups() of it and is the Clip's only consumer. In a float graph.
struct PositionHead {
  NodeId conv = 0, clip = 0, sum = 0;
};
std::optional<PositionHead> position_head(const Graph& graph);

// A convolution over an upsampled map, possibly joined with others along the channels:
// Upsample -> Concat -> Conv, Upsample -> Conv. Each pixel that the Upsample repeats is multiplied
// by the same weights, so that they can be summed first.
struct UpsampledConv {
  NodeId conv = 0;
  NodeId upsample = 0;
  std::optional<NodeId> concat;
  int64_t first = 0;  // input channel of the convolution where the upsampled map begins
};

// All of them whose Concat and Upsample have no other consumer, in order; a convolution whose
// Concat joins several upsampled maps is there once for each.
std::vector<UpsampledConv> upsampled_convs(const Graph& graph);

}  // namespace dualdepth::graph
