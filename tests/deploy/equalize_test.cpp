#include "dualdepth/deploy/equalize.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dualdepth::deploy {
namespace {

// Two channels, made by 1x1 filters from one and read by one.
struct Chain {
  Chain() {
    const NodeId input = graph.add_input("image", {1, 3, 8, 8});
    maker = graph.add(Conv{torch::ones({2, 3, 1, 1}), torch::tensor({1.0F, -1.0F})}, {input}, "a");
    map = graph.add(Relu{}, {maker}, "a");
    reader = graph.add(Conv{torch::tensor({1.0F, 0.25F}).view({1, 2, 1, 1}), torch::zeros({1})},
                       {map}, "b");
    graph.set_outputs({{"out", reader}});
  }

  const Conv& conv(const Graph& of, NodeId id) const {
    return std::get<Conv>(of.node(id).operation);
  }

  Graph graph;
  NodeId maker = 0, map = 0, reader = 0;
};

// g = (1, 16), w = (1, 1/4): sqrt(g / w) = (1, 8), geometric mean sqrt(8).
TEST(EqualizeChannels, BalancesValuesAgainstWeights) {
  const Chain chain;
  const Graph equal = equalize_channels(chain.graph, chain.map, torch::tensor({1.0F, 16.0F}));
  const float first = 1 / std::sqrt(8.0F);
  const float second = std::sqrt(8.0F);
  const Conv& made = chain.conv(equal, chain.maker);
  EXPECT_TRUE(torch::allclose(made.bias, torch::tensor({1 / first, -1 / second})));
  EXPECT_TRUE(
      torch::allclose(made.weight.select(1, 0).flatten(), torch::tensor({1 / first, 1 / second})));
  EXPECT_TRUE(torch::allclose(chain.conv(equal, chain.reader).weight.flatten(),
                              torch::tensor({first, second / 4})));
}

TEST(EqualizeChannels, LimitsTheFactorOfAChannelThatNeverLives) {
  const Chain chain;
  const Graph equal = equalize_channels(chain.graph, chain.map, torch::tensor({2.0F, 0.0F}));
  EXPECT_TRUE(torch::allclose(chain.conv(equal, chain.reader).weight.flatten(),
                              torch::tensor({1.0F, 0.025F})));
}

TEST(EqualizeChannels, LeavesAMapThatOthersRead) {
  Chain chain;
  chain.graph.add(Sigmoid{}, {chain.map}, "c");
  const Graph equal = equalize_channels(chain.graph, chain.map, torch::tensor({1.0F, 16.0F}));
  EXPECT_TRUE(chain.conv(equal, chain.maker).bias.equal(torch::tensor({1.0F, -1.0F})));
}

}  // namespace
}  // namespace dualdepth::deploy
