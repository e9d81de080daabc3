#include "dualdepth/deploy/run_graph.h"

#include <gtest/gtest.h>

namespace dualdepth::deploy {
namespace {

TEST(FakeQuantize, RoundsHalvesToEvenAndSaturates) {
  // Steps of 0.5 from -(3) to 255 - 3.
  const FakeQuantize grid{0.5F, 3, false};
  const auto x = torch::tensor({-9.F, -0.25F, 0.25F, 0.75F, 1.1F, 1000.F});
  EXPECT_TRUE(
      torch::equal(fake_quantize(x, grid), torch::tensor({-1.5F, 0.F, 0.F, 1.F, 1.F, 126.F})));
}

TEST(FakeQuantize, IsSymmetricWhenSigned) {
  const auto x = torch::tensor({-300.F, -1.6F, 300.F});
  EXPECT_TRUE(torch::equal(fake_quantize(x, {1, 0, true}), torch::tensor({-128.F, -2.F, 127.F})));
}

// A head of 300 lines, more than one stripe, against LibTorch's convolution as a whole.
TEST(RunGraph, ComputesTheIntegerHeadInStripes) {
  torch::manual_seed(1);
  const auto weight = torch::randn({7, 2, 3, 3});
  const auto bias = torch::randn({7});
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 2, 300, 64});
  const NodeId head =
      graph.add(Conv{.weight = weight, .bias = bias, .padding = {1, 1}}, {image}, "head");
  const NodeId relu = graph.add(Relu{}, {head}, "head");
  const NodeId level = graph.add(ArgMax{}, {relu}, "head");
  graph.set_outputs({{"level", level}});
  EXPECT_EQ(integer_head(graph), (std::vector<NodeId>{head, relu, level}));

  const auto x = torch::randn({1, 2, 300, 64});
  int stripes = 0;
  const auto said = run_graph(graph, x, std::array{level}, [&](NodeId id, const torch::Tensor&) {
    stripes += id == head ? 1 : 0;
  });
  EXPECT_GT(stripes, 1);
  const auto whole = torch::conv2d(x, weight, bias, 1, 1).relu().argmax(1, true);
  EXPECT_GT(said[0].eq(whole).to(torch::kFloat64).mean().item<double>(), 0.9999);
}

TEST(RunGraph, GridsPassThroughMaxPoolUpsampleAndEqualConcats) {
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 1, 4, 4});
  const NodeId grid = graph.add(FakeQuantize{0.5F, 0, false}, {image}, "");
  const NodeId other = graph.add(FakeQuantize{0.25F, 0, false}, {image}, "");
  const NodeId up = graph.add(Upsample{2}, {grid}, "");
  const NodeId same = graph.add(Concat{}, {grid, grid}, "");
  const NodeId mixed = graph.add(Concat{}, {grid, other}, "");
  EXPECT_EQ(grid_of(graph, up), (FakeQuantize{0.5F, 0, false}));
  EXPECT_EQ(grid_of(graph, same), (FakeQuantize{0.5F, 0, false}));
  EXPECT_FALSE(grid_of(graph, mixed).has_value());
  EXPECT_FALSE(grid_of(graph, image).has_value());
}

}  // namespace
}  // namespace dualdepth::deploy
