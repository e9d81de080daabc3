#pragma once

#include <set>
#include <vector>

#include "dualdepth/config/export_options.h"
#include "dualdepth/graph/graph.h"

namespace dualdepth::quantize {

// Convolutions that stay float.
using FloatConvs = std::set<graph::NodeId>;

// Which values of a float graph lie on an 8-bit grid. No one layout suits all runtimes, so each
// profile has its own, proven there (docs/int8.md):
//
//   portable, npu  uint8 with a zero point. Behind each operation once, after the Relu where one
//   openvino       follows; MaxPool and Upsample keep the grid of what they read, and a Concat and
//                  all that it reads share one, so that nothing is rounded twice; the sigmoid's is
//                  0..255/256
//   tensorrt       int8 around 0. Only where a convolution or an Add reads; of an Add's two inputs
//                  the one that a convolution makes for it alone stays float (TensorRT computes
//                  both as one kernel); what MaxPool, Upsample and Concat read keeps its grid
//                  through them, so that all inputs of a Concat share one; heads end in float
//
// Between two convolutions that stay float the value stays float.
struct Placement {
  static constexpr int kNone = -1;

  std::vector<int> grid;   // of each node's value: the number of its grid, or kNone
  std::vector<bool> node;  // whether a FakeQuantize is put behind it
  int grids = 0;
  bool is_symmetric = false;

  bool has_grid(graph::NodeId id) const { return grid.at(id) != kNone; }
};

Placement place_grids(const graph::Graph& graph, OnnxProfile profile,
                      const FloatConvs& float_convs = {});

// Whether `reader` sees the grid's values of `value` rather than the float ones before it.
bool reads_grid(const graph::Graph& graph, const Placement& placement,
                const FloatConvs& float_convs, graph::NodeId value, graph::NodeId reader);

// The graph with a FakeQuantize behind each value that is placed: grids[number].
struct GriddedGraph {
  graph::Graph graph;
  std::vector<graph::NodeId> renamed;  // node of the float graph -> the same node here
};
GriddedGraph insert_grids(const graph::Graph& graph, const Placement& placement,
                          const FloatConvs& float_convs,
                          const std::vector<graph::FakeQuantize>& grids);

// A graph with grids without some of them. renamed: node of `gridded` -> the same node here, a
// dropped grid's being that of what it read.
GriddedGraph without_grids(const graph::Graph& gridded, const std::set<graph::NodeId>& dropped);

}  // namespace dualdepth::quantize
