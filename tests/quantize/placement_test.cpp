#include "dualdepth/quantize/placement.h"

#include <gtest/gtest.h>

namespace dualdepth::quantize {
namespace {

using graph::NodeId;

// image -> conv a -> Relu -> conv b -> Add with the Relu -> Relu -> Upsample -> conv head -> ArgMax
struct Residual {
  Residual() {
    const NodeId image = graph.add_input("image", {1, 2, 4, 4});
    affine = graph.add(graph::Affine{torch::ones({2}), torch::zeros({2})}, {image}, "");
    a = graph.add(conv(2, 2), {affine}, "a");
    relu = graph.add(graph::Relu{}, {a}, "a");
    b = graph.add(conv(2, 2), {relu}, "b");
    sum = graph.add(graph::Add{}, {b, relu}, "");
    after = graph.add(graph::Relu{}, {sum}, "");
    up = graph.add(graph::Upsample{2}, {after}, "");
    head = graph.add(conv(2, 5), {up}, "head");
    level = graph.add(graph::ArgMax{}, {head}, "head");
    graph.set_outputs({{"level", level}});
  }

  static graph::Conv conv(int64_t in, int64_t out) {
    return {torch::ones({out, in, 1, 1}), torch::zeros({out})};
  }

  graph::Graph graph;
  NodeId affine = 0, a = 0, relu = 0, b = 0, sum = 0, after = 0, up = 0, head = 0, level = 0;
};

TEST(PlaceGrids, PutsOneBehindEachOperationOnceAndAfterItsRelu) {
  const Residual net;
  const Placement placement = place_grids(net.graph, OnnxProfile::kPortable);
  for (const NodeId id : {net.affine, net.relu, net.b, net.after, net.up, net.head}) {
    EXPECT_TRUE(placement.node.at(id)) << id;
  }
  for (const NodeId id : {net.a, net.sum, net.level}) EXPECT_FALSE(placement.has_grid(id)) << id;
  EXPECT_EQ(placement.grid.at(net.up), placement.grid.at(net.after));
  EXPECT_NE(placement.grid.at(net.relu), placement.grid.at(net.after));
  EXPECT_EQ(placement.grids, 5);
}

TEST(PlaceGrids, LeavesTheFusedBranchOfAnAddFloatForTensorRt) {
  const Residual net;
  const Placement placement = place_grids(net.graph, OnnxProfile::kTensorRt);
  EXPECT_TRUE(placement.is_symmetric);
  EXPECT_TRUE(placement.node.at(net.relu));   // read by b, and the skip
  EXPECT_FALSE(placement.has_grid(net.b));    // computed with the Add
  EXPECT_TRUE(placement.node.at(net.after));  // through Upsample to the head
  EXPECT_FALSE(placement.node.at(net.up));    // keeps the grid
  EXPECT_FALSE(placement.has_grid(net.head));
}

// OpenVINO computes conv b and the Add as one, in float between its sums and the Relu's codes.
TEST(PlaceGrids, PutsNoneBetweenAConvolutionAndItsAddForOpenVino) {
  const Residual net;
  const Placement placement = place_grids(net.graph, OnnxProfile::kOpenVino);
  for (const NodeId id : {net.affine, net.relu, net.after, net.up, net.head}) {
    EXPECT_TRUE(placement.node.at(id)) << id;
  }
  for (const NodeId id : {net.a, net.b, net.sum, net.level}) {
    EXPECT_FALSE(placement.has_grid(id)) << id;
  }
}

TEST(PlaceGrids, KeepsTheLogitsOfAFloatHead) {
  const Residual net;
  const FloatConvs kept{net.head};
  const Placement placement = place_grids(net.graph, OnnxProfile::kPortable, kept);
  EXPECT_FALSE(placement.has_grid(net.head));
  EXPECT_TRUE(placement.has_grid(net.up));
}

// Rounding to a second grid would add its noise to that of the first.
TEST(PlaceGrids, AConcatAndWhatItReadsShareAGrid) {
  for (const auto profile : {OnnxProfile::kPortable, OnnxProfile::kTensorRt}) {
    Residual net;
    const NodeId concat = net.graph.add(graph::Concat{}, {net.up, net.up}, "");
    net.graph.add(Residual::conv(4, 1), {concat}, "end");
    const Placement placement = place_grids(net.graph, profile);
    EXPECT_EQ(placement.grid.at(concat), placement.grid.at(net.up));
    EXPECT_EQ(placement.grid.at(concat), placement.grid.at(net.after));
    EXPECT_NE(placement.grid.at(concat), placement.grid.at(net.relu));
  }
}

TEST(InsertGrids, LetsAllReadersSeeTheGrid) {
  const Residual net;
  const Placement placement = place_grids(net.graph, OnnxProfile::kPortable);
  const std::vector<graph::FakeQuantize> grids(static_cast<size_t>(placement.grids),
                                               graph::FakeQuantize{0.5F, 3, false});
  const auto gridded = insert_grids(net.graph, placement, {}, grids);
  const auto& conv = gridded.graph.node(gridded.renamed.at(net.b));
  EXPECT_EQ(graph::grid_of(gridded.graph, conv.inputs.at(0)),
            (graph::FakeQuantize{0.5F, 3, false}));
  EXPECT_EQ(gridded.graph.nodes().size(), net.graph.nodes().size() + 6);
}

}  // namespace
}  // namespace dualdepth::quantize
