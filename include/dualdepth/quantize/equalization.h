#pragma once

#include <torch/types.h>

#include <map>
#include <string>
#include <vector>

#include "dualdepth/config/quantize_options.h"
#include "dualdepth/graph/graph.h"
#include "dualdepth/graph/pictures.h"

namespace dualdepth::quantize {

// What becomes of a map that a Concat puts beside another one: both lie on one grid.
enum class Beside {
  kIgnored,  // each map for itself
  kMatched,  // values and weights of both come near each other
};

// The greatest |value| that each channel of a map takes, float [C], by the map's node.
using Peaks = std::map<graph::NodeId, torch::Tensor>;

// Of the maps that equalize_maps() asks for: those of groups, and what Concats read.
Peaks measure_peaks(const graph::Graph& graph, const graph::Pictures& pictures);

// The factors that the channels of each group are divided by (graph/equalize.h), by the name of the
// group's first convolution.
using ChannelFactors = std::map<std::string, std::vector<float>>;

// Cross-layer equalization (graph/equalize.h) of each group of channels that allows it, those of
// residual stages included. Filters that share one step give up a third of their own spread too.
// peaks: of the same graph.
ChannelFactors equalizing_factors(const graph::Graph& graph, Peaks peaks,
                                  WeightGranularity granularity, Beside beside);

// The graph with all its groups divided by their factors, in the order of channel_groups(); the
// float result stays the same. Throws Error when a group is missing, `factors` names another one,
// or their number is not that of the group's channels.
graph::Graph equalize(const graph::Graph& graph, const ChannelFactors& factors);

}  // namespace dualdepth::quantize
