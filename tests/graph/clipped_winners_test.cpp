#include "dualdepth/graph/clipped_winners.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace dualdepth::graph {
namespace {

// Two levels of a picture with one channel: x and -x - 1.
Graph head_with(const std::vector<Operation>& behind) {
  Graph graph;
  NodeId id = graph.add_input("image", {1, 1, 1, 4});
  id = graph.add(Conv{.weight = torch::tensor({1.F, -1.F}).view({2, 1, 1, 1}),
                      .bias = torch::tensor({0.F, -1.F})},
                 {id}, "integer");
  for (const auto& operation : behind) id = graph.add(operation, {id}, "integer");
  graph.set_outputs({{"level", graph.add(ArgMax{}, {id}, "integer")}});
  return graph;
}

TEST(ClippingValue, IsTheGreatestLogitThatBecomesTheLeastValue) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(clipping_value(head_with({})), -kInfinity);
  EXPECT_EQ(clipping_value(head_with({Relu{}})), 0);
  // Codes 0..255 of 0.5: 0.25 is half-way and rounds to the even code 0.
  EXPECT_EQ(clipping_value(head_with({FakeQuantize{.scale = 0.5F}})), 0.25F);
  EXPECT_EQ(clipping_value(head_with({Relu{}, FakeQuantize{.scale = 0.5F, .zero_point = 3}})),
            0.25F);
  // The lowest value is -3 * 0.5; -1.25 is half-way and rounds to the even -2.
  EXPECT_EQ(clipping_value(head_with({FakeQuantize{.scale = 0.5F, .zero_point = 3}})),
            std::nextafter(-1.25F, -kInfinity));
}

// Greatest logits of -0.9, -0.5, 0, 0.1: -0.1, -0.5, 0, 0.1.
TEST(ClippedWinners, AreThoseUpToTheClippingValue) {
  const auto image = torch::tensor({-0.9F, -0.5F, 0.F, 0.1F}).view({1, 1, 1, 4});
  EXPECT_EQ(count_clipped_winners(head_with({}), image), 0);
  EXPECT_EQ(count_clipped_winners(head_with({Relu{}}), image), 3);
  EXPECT_EQ(count_clipped_winners(head_with({FakeQuantize{.scale = 0.1F}}), image), 3);
}

}  // namespace
}  // namespace dualdepth::graph
