#pragma once

#include "dualdepth/config/quantize_options.h"
#include "dualdepth/deploy/graph.h"
#include "dualdepth/deploy/pictures.h"

namespace dualdepth::quantize {

// What becomes of a map that a Concat puts beside another one: both lie on one grid.
enum class Beside {
  kIgnored,  // each map for itself
  kMatched,  // its greatest value becomes the other's; ruins filters that share one step
};

// Cross-layer equalization (deploy/equalize.h) of each group of channels that allows it, those of
// residual stages included. What channels reach is measured on the pictures. Filters that share one
// step give up half of their own spread too. The float result stays the same.
deploy::Graph equalize_maps(const deploy::Graph& graph, const deploy::Pictures& pictures,
                            WeightGranularity granularity, Beside beside);

}  // namespace dualdepth::quantize
