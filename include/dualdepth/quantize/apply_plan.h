#pragma once

#include <vector>

#include "dualdepth/graph/graph.h"
#include "dualdepth/quantize/placement.h"
#include "dualdepth/quantize/plan.h"

namespace dualdepth::quantize {

// The float network with the plan's equalization and centring: the same function, and what the
// names of a plan are of.
graph::Graph reference_of(const Plan& plan, const graph::Graph& network);

// The reference with the plan's head shift subtracted from the biases of its integer head: what the
// quantized filters round. A centred head ends in a Relu, and of the values between 0 and the
// winners 8 bits need none. In float that would cost the winners that lie below.
graph::Graph lower_head(const graph::Graph& reference, double shift);

// Where a plan's values are quantized in its reference.
struct PlannedPlaces {
  FloatConvs float_convs;
  Placement placement;
};
PlannedPlaces places_of(const Plan& plan, const graph::Graph& reference);

// A float network and what a plan makes of it.
struct AppliedPlan {
  graph::Graph reference;              // reference_of()
  graph::Graph graph;                  // quantized, filters rounded to nearest
  std::vector<graph::NodeId> renamed;  // node of reference -> the same node in graph
};

// Throws Error when the graph holds quantized values.
void expect_float(const graph::Graph& graph);

// Throws Error naming both fingerprints when the plan was made for another network.
void expect_network_of(const Plan& plan, const graph::Graph& network);

// network: the one that the plan was made for; see expect_network_of(). Throws Error when it is
// quantized already, when an entry of the plan is missing or is of no value or convolution that the
// target quantizes here, when values that share a scale differ, or when a filter's scale is too
// small for its bias.
AppliedPlan apply_plan(const Plan& plan, const graph::Graph& network);

}  // namespace dualdepth::quantize
