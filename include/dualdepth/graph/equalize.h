#pragma once

#include <torch/types.h>

#include <optional>
#include <vector>

#include "dualdepth/graph/graph.h"

namespace dualdepth::graph {

// A convolution whose input channels `first` and following are those of a group.
struct ChannelReader {
  NodeId conv = 0;
  int64_t first = 0;
};

// Values that share their channels, since only Relu, Add, MaxPool and Upsample lie between them:
// one map behind a convolution, or all maps that a residual stage adds up. Channel c may be divided
// by any s_c > 0 in all of them and multiplied where it is read; the network's result is the same.
struct ChannelGroup {
  std::vector<NodeId> makers;  // convolutions whose filters are the channels
  std::vector<NodeId> maps;    // in order; without those that only a Relu of the group reads
  std::vector<ChannelReader> readers;  // also behind a Concat
};

// The group of a value. Nothing where something else than these nodes and convolutions makes or
// reads it.
std::optional<ChannelGroup> channel_group(const Graph& graph, NodeId value);

// All groups of a graph, in the order of their first map.
std::vector<ChannelGroup> channel_groups(const Graph& graph);

struct EqualizeOptions {
  // How much of the spread over channels the factor takes from filters (a) and values (b); the rest
  // comes from the weights that read them. Filters with a step of their own need no a.
  double filters = 0;
  double values = 0.5;
  // The greatest value of what a Concat puts beside the group, 0 without one. Both lie on one 8-bit
  // grid then, and the weights that read them may share a step, too. So t is chosen such that
  // r^(3/4) = q^(1/4), where the group's greatest value becomes r times this one and its greatest
  // weight q times that on what lies beside it; s_c may be 0.01 to 100.
  double beside = 0;
};

// Cross-layer equalization (Nagel et al., Data-Free Quantization Through Weight Equalization and
// Bias Correction, 2019): channel c is divided by
//
//   s_c = f_c^a g_c^b / w_c^(1-a-b) / t,   0.1 <= s_c <= 10,   a = 0, b = 1/2: sqrt(g_c / w_c)
//
// with f_c the greatest absolute weight of the filters that make the channel, g_c the greatest
// value that it takes, at least 2 % of the greatest of all, w_c the greatest absolute weight that
// reads it (f and w taken relative to the greatest of the same convolution) and t the geometric
// mean over channels. In 8 bits a channel that hardly lives no longer sets the step of all weights:
// of those that read it, and, with 2 % for its value, of the filters beside its own.
//
// greatest: g, float [C]. Returns s, float [C].
torch::Tensor equalizing_factors(const Graph& graph, const ChannelGroup& group,
                                 const torch::Tensor& greatest,
                                 const EqualizeOptions& options = {});

// Each channel divided by its factor where it is made and multiplied where it is read.
Graph scale_channels(const Graph& graph, const ChannelGroup& group, const torch::Tensor& factors);

}  // namespace dualdepth::graph
