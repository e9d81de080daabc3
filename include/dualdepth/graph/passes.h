#pragma once

#include <cstdint>

#include "dualdepth/config/export_options.h"
#include "dualdepth/graph/graph.h"

// Each pass takes a graph and gives a new one.
namespace dualdepth::graph {

// Consecutive Affine nodes as one: a2 (a1 x + b1) + b2 = (a1 a2) x + (a2 b1 + b2).
Graph merge_affine(const Graph& graph);

// The graph for `count` pictures at once.
Graph with_batch(const Graph& graph, int64_t count);

// Without nodes that no output depends on; inputs stay.
Graph remove_unused(const Graph& graph);

// Turns the outputs `logits` and `fraction` of a traced network into those that are asked for:
// appends ArgMax (codec continuous: sigmoid * (K - 1)) and ComposeDepth. Throws Error when a
// network with one head is asked for levels.
Graph with_outputs(const Graph& graph, const ModelParams& params, ModelOutputs outputs);

}  // namespace dualdepth::graph
