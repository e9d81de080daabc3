#include "dualdepth/study/network_cost.h"

#include <gtest/gtest.h>

namespace dualdepth::study {
namespace {

using graph::Graph;
using graph::NodeId;

graph::Conv conv(int64_t out, int64_t in) {
  return {.weight = torch::zeros({out, in, 3, 3}),
          .bias = torch::zeros({out}),
          .stride = {1, 1},
          .padding = {1, 1}};
}

graph::FakeQuantize grid(int64_t bits) {
  graph::FakeQuantize grid;
  grid.scale = 1;
  grid.bits = bits;
  return grid;
}

// A trunk 3 -> 4 and heads of 300 levels and one fraction at 8x16 pixels: 8 * 16 * 9 = 1152
// products for each pair of channels. By hand: trunk 1152 * 12, heads 1152 * 4 * 300 and 1152 * 4.
class TwoHeads : public ::testing::Test {
 protected:
  explicit TwoHeads(int64_t levels = 300) {
    const NodeId image = graph_.add_input("image", {1, 3, 8, 16});
    const NodeId map = graph_.add(conv(4, 3), {image}, "decoder.upconv_0_1");
    const NodeId logits = graph_.add(conv(levels, 4), {map}, "decoder.head_0.integer");
    const NodeId level = graph_.add(graph::ArgMax{}, {logits}, "decoder.head_0");
    const NodeId raw = graph_.add(conv(1, 4), {map}, "decoder.head_0.fraction");
    const NodeId sigmoid = graph_.add(graph::Sigmoid{}, {raw}, "decoder.head_0");
    fraction_ = sigmoid;
    level_ = level;
    graph_.set_outputs({{"level", level}, {"fraction", sigmoid}});
  }

  Graph graph_;
  NodeId level_ = 0, fraction_ = 0;
};

TEST_F(TwoHeads, ProductsAndParametersAreCounted) {
  const NetworkCost cost = network_cost(graph_);
  EXPECT_EQ(cost.macs, 1152 * 12 + 1152 * 4 * 300 + 1152 * 4);
  EXPECT_EQ(cost.head_macs, 1152 * 4 * 300 + 1152 * 4);
  EXPECT_EQ(cost.parameters, (9 * 12 + 4) + (9 * 4 * 300 + 300) + (9 * 4 + 1));
}

// 128 pixels: an index below 300 takes two bytes, a float fraction four.
TEST_F(TwoHeads, AnIndexOfMoreThan256LevelsTakesTwoBytes) {
  const NetworkCost cost = network_cost(graph_);
  EXPECT_EQ(cost.handed_out_values, 2 * 128);
  EXPECT_EQ(cost.handed_out_bytes, (2 + 4) * 128);
}

TEST_F(TwoHeads, AQuantizedValueTakesTheBytesOfItsCode) {
  for (const int64_t bits : {8, 16}) {
    Graph graph = graph_;
    const NodeId code = graph.add(grid(bits), {fraction_}, "decoder.head_0");
    graph.set_outputs({{"level", level_}, {"fraction", code}});
    EXPECT_EQ(network_cost(graph).handed_out_bytes, (2 + bits / 8) * 128) << bits;
  }
}

// The host composes metres of the one byte that it is handed.
TEST_F(TwoHeads, WhatTheHostComputesIsNotHandedOut) {
  const NodeId code = graph_.add(grid(8), {fraction_}, "decoder.head_0");
  const NodeId depth = graph_.add(graph::ComposeDepth{HeadKind::kSigmoid, {}}, {code}, "");
  graph_.set_outputs({{"depth", depth}});
  EXPECT_EQ(network_cost(graph_).handed_out_bytes, 128);
}

TEST(NetworkCost, IsReadBackAsItIsWritten) {
  const NetworkCost cost{
      .parameters = 1, .macs = 2, .head_macs = 3, .handed_out_bytes = 4, .handed_out_values = 5};
  const NetworkCost read = network_cost_from(nlohmann::json::parse(to_json(cost).dump()));
  EXPECT_EQ(read.parameters, 1);
  EXPECT_EQ(read.macs, 2);
  EXPECT_EQ(read.head_macs, 3);
  EXPECT_EQ(read.handed_out_bytes, 4);
  EXPECT_EQ(read.handed_out_values, 5);
}

}  // namespace
}  // namespace dualdepth::study
