#pragma once

#include <torch/types.h>

#include <cstdint>

#include "dualdepth/graph/graph.h"

// Winning logits that what follows the integer head's convolution clips. A Relu maps all logits up
// to 0 to 0, a FakeQuantize maps all logits up to its lowest code to that code. Where this reaches
// the greatest logit of a pixel, all its logits become equal and ArgMax returns level 0, the
// nearest depth that the codec has, whatever the network sees.
namespace dualdepth::graph {

// The greatest logit that the nodes between the integer head's convolution and its ArgMax map to
// the least value that they have; -infinity without such nodes or without an integer head.
float clipping_value(const Graph& graph);

// Number of pixels whose greatest logit is at most clipping_value(). image: float [N, 3, H, W].
int64_t count_clipped_winners(const Graph& graph, const torch::Tensor& image);

}  // namespace dualdepth::graph
