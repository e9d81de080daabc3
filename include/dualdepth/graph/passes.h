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

// What a network is to return.
struct OutputForm {
  ModelOutputs outputs;
  int64_t groups = 0;  // of `position`: see position_groups() (codec/threshold_codec.h)
};

// Turns the outputs `logits` and `fraction` of a traced network into those that are asked for.
// Appends, by the kind of the head:
//
//   categorical  ArgMax (codec continuous: sigmoid * (K - 1)); for depth ComposeDepth
//   cumulative   Clip to [0, 1] and the 1x1 convolution that sums groups of channels; for depth one
//                group and ComposeDepth
//   sigmoid      Sigmoid and ComposeDepth
//   hilbert      Sigmoid
//
// Throws Error for outputs that the head cannot have (require_outputs).
Graph with_outputs(const Graph& graph, HeadKind head, const CodecOptions& codec,
                   const OutputForm& form);

}  // namespace dualdepth::graph
