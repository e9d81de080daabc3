#pragma once

#include <torch/types.h>

#include <optional>

#include "dualdepth/deploy/graph.h"

namespace dualdepth::deploy {

struct EqualizeOptions {
  // b: how much of the spread over channels values give up to weights. More than 1/2 pays where
  // each filter has a step of its own.
  double balance = 0.5;
  // The greatest value of what a Concat puts beside the map, 0 without one. Both lie on one 8-bit
  // grid then, so t is chosen such that the map's greatest value becomes this one, and s_c may be
  // 0.01 to 100.
  double beside = 0;
};

// Cross-layer equalization (Nagel et al., Data-Free Quantization Through Weight Equalization and
// Bias Correction, 2019) of one map: channel c is divided by s_c where it is made and multiplied
// where it is read,
//
//   s_c = g_c^b / w_c^(1-b) / t,   0.1 <= s_c <= 10,   b = 1/2: sqrt(g_c / w_c)
//
// with g_c the greatest value that the channel takes, w_c the greatest absolute weight that reads
// it (each reader's weights taken relative to its greatest) and t the geometric mean over channels.
// The result is the same in float, since Relu(x / s) = Relu(x) / s. In 8 bits a channel that hardly
// lives no longer sets the step of all weights.
//
// map: a Relu behind a convolution that nobody else reads, read by convolutions alone, also through
// Upsample and Concat; elsewhere the graph is returned as it is. greatest: g, float [C].
Graph equalize_channels(const Graph& graph, NodeId map, const torch::Tensor& greatest,
                        const EqualizeOptions& options = {});

// The Concat that the map goes through on its way to the convolutions that read it.
std::optional<NodeId> concat_behind(const Graph& graph, NodeId map);

}  // namespace dualdepth::deploy
