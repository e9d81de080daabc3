#pragma once

#include <torch/types.h>

#include <map>

#include "dualdepth/config/quantize_options.h"
#include "dualdepth/deploy/graph.h"
#include "dualdepth/deploy/pictures.h"

namespace dualdepth::quantize {

// What becomes of a map that a Concat puts beside another one: both lie on one grid.
enum class Beside {
  kIgnored,  // each map for itself
  kMatched,  // values and weights of both come near each other
};

// The greatest |value| that each channel of a map takes, float [C], by the map's node.
using Peaks = std::map<deploy::NodeId, torch::Tensor>;

// Of the maps that equalize_maps() asks for: those of groups, and what Concats read.
Peaks measure_peaks(const deploy::Graph& graph, const deploy::Pictures& pictures);

// Cross-layer equalization (deploy/equalize.h) of each group of channels that allows it, those of
// residual stages included. Filters that share one step give up a third of their own spread too.
// The float result stays the same. peaks: of the same graph.
deploy::Graph equalize_maps(const deploy::Graph& graph, Peaks peaks, WeightGranularity granularity,
                            Beside beside);

}  // namespace dualdepth::quantize
