#pragma once

#include <torch/types.h>

#include "dualdepth/deploy/graph.h"

namespace dualdepth::deploy {

// Cross-layer equalization (Nagel et al., Data-Free Quantization Through Weight Equalization and
// Bias Correction, 2019) of one map: channel c is divided by s_c where it is made and multiplied
// where it is read,
//
//   s_c = sqrt(g_c / w_c) / t,   0.1 <= s_c <= 10
//
// with g_c the greatest value that the channel takes, w_c the greatest absolute weight that reads
// it (each reader's weights taken relative to its greatest) and t the geometric mean over channels.
// The result is the same in float, since Relu(x / s) = Relu(x) / s. In 8 bits a channel that hardly
// lives no longer sets the step of all weights.
//
// map: a Relu behind a convolution that nobody else reads, read by convolutions alone; elsewhere
// the graph is returned as it is. greatest: g, float [C].
Graph equalize_channels(const Graph& graph, NodeId map, const torch::Tensor& greatest);

}  // namespace dualdepth::deploy
