#include "dualdepth/graph/equalize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace dualdepth::graph {
namespace {

using ::testing::ElementsAre;

const Conv& conv_in(const Graph& graph, NodeId id) {
  return std::get<Conv>(graph.node(id).operation);
}

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

  torch::Tensor factors(const torch::Tensor& greatest, const EqualizeOptions& options = {}) const {
    return equalizing_factors(graph, channel_group(graph, map).value(), greatest, options);
  }

  Graph graph;
  NodeId maker = 0, map = 0, reader = 0;
};

// g = (1, 16), w = (1, 1/4): sqrt(g / w) = (1, 8), geometric mean sqrt(8).
TEST(EqualizingFactors, BalanceValuesAgainstWeights) {
  const float root = std::sqrt(8.0F);
  EXPECT_TRUE(torch::allclose(Chain().factors(torch::tensor({1.0F, 16.0F})),
                              torch::tensor({1 / root, root})));
}

// f = (1, 1/4), g = (1, 16), w = (1, 1/4): f^(1/2) g^(1/4) / w^(1/4) = (1, sqrt 2).
TEST(EqualizingFactors, TakeTheSpreadOfFiltersTooWhereAsked) {
  Chain chain;
  chain.graph.replace(chain.maker,
                      Conv{torch::tensor({1.0F, 0.25F}).view({2, 1, 1, 1}).expand({2, 3, 1, 1}),
                           torch::zeros({2})});
  const auto factors =
      chain.factors(torch::tensor({1.0F, 16.0F}), {.filters = 0.5, .values = 0.25});
  const float root = std::pow(2.0F, 0.25F);
  EXPECT_TRUE(torch::allclose(factors, torch::tensor({1 / root, root})));
}

// g = (2, 0.04), w = (1, 1/4): sqrt(g / w) = (sqrt 2, 0.4), and t is that of the one that lives.
TEST(EqualizingFactors, CountAChannelThatNeverLivesWithTwoPercent) {
  EXPECT_TRUE(torch::allclose(Chain().factors(torch::tensor({2.0F, 0.0F})),
                              torch::tensor({1.0F, 0.4F / std::sqrt(2.0F)})));
}

// Weights alone, w = (1, 1 / 40000): 1 / w over its mean is (1 / 200, 200).
TEST(EqualizingFactors, StayBetweenATenthAndTen) {
  Chain chain;
  chain.graph.replace(chain.reader, Conv{torch::tensor({1.0F, 1.0F / 40000}).view({1, 2, 1, 1}),
                                         torch::zeros({1})});
  EXPECT_TRUE(torch::allclose(chain.factors(torch::ones({2}), {.filters = 0, .values = 0}),
                              torch::tensor({0.1F, 10.0F})));
}

// a: g = (1, 16), read with (1, 1/4): s = (1, 8), so values reach 2 and weights 2. Beside it b with
// 16, read with 4: r = 2 t / 16 and q = (2 / t) / 4 give t^(3/4 + 1/4) = 8^(3/4) (1/2)^(1/4) = 4.
TEST(EqualizingFactors, ComeNearToWhatAConcatPutsBeside) {
  Graph graph;
  const NodeId input = graph.add_input("image", {1, 3, 8, 8});
  const NodeId a = graph.add(Conv{torch::ones({2, 3, 1, 1}), torch::zeros({2})}, {input}, "a");
  const NodeId b = graph.add(Conv{torch::ones({1, 3, 1, 1}), torch::zeros({1})}, {input}, "b");
  const NodeId joined = graph.add(Concat{}, {a, b}, "joined");
  const NodeId last =
      graph.add(Conv{torch::tensor({1.0F, 0.25F, 4.0F}).view({1, 3, 1, 1}), torch::zeros({1})},
                {joined}, "last");
  graph.set_outputs({{"out", last}});
  const auto factors = equalizing_factors(graph, channel_group(graph, a).value(),
                                          torch::tensor({1.0F, 16.0F}), {.beside = 16});
  EXPECT_TRUE(torch::allclose(factors, torch::tensor({1.0F, 8.0F}) / 4));
}

TEST(ScaleChannels, DividesWhereTheyAreMadeAndMultipliesWhereTheyAreRead) {
  const Chain chain;
  const auto group = channel_group(chain.graph, chain.map);
  const Graph scaled = scale_channels(chain.graph, *group, torch::tensor({2.0F, 4.0F}));
  const Conv& made = conv_in(scaled, chain.maker);
  EXPECT_TRUE(made.bias.equal(torch::tensor({0.5F, -0.25F})));
  EXPECT_TRUE(made.weight.select(1, 0).flatten().equal(torch::tensor({0.5F, 0.25F})));
  EXPECT_TRUE(conv_in(scaled, chain.reader).weight.flatten().equal(torch::tensor({2.0F, 1.0F})));
}

TEST(ChannelGroup, EndsWhereSomethingElseReads) {
  Chain chain;
  chain.graph.add(Sigmoid{}, {chain.map}, "c");
  EXPECT_FALSE(channel_group(chain.graph, chain.map));
  EXPECT_TRUE(channel_groups(chain.graph).empty());
}

// image -> stem -> Relu -> MaxPool -> p;  q = Relu(p + second(Relu(first(p))));  behind: last(q |
// Upsample(side(q))).
TEST(ChannelGroup, HoldsAllThatAResidualStageAddsUp) {
  Graph graph;
  const auto conv = [&](int64_t out, int64_t in, NodeId from) {
    return graph.add(Conv{torch::ones({out, in, 1, 1}), torch::zeros({out})}, {from}, "conv");
  };
  const NodeId stem = conv(4, 3, graph.add_input("image", {1, 3, 8, 8}));
  const NodeId live = graph.add(Relu{}, {stem}, "stem");
  const NodeId pool = graph.add(MaxPool{{2, 2}, {2, 2}, {0, 0}}, {live}, "stem");
  const NodeId first = conv(2, 4, pool);
  const NodeId inner = graph.add(Relu{}, {first}, "block");
  const NodeId second = conv(4, 2, inner);
  const NodeId sum = graph.add(Add{}, {second, pool}, "block");
  const NodeId stage = graph.add(Relu{}, {sum}, "block");
  const NodeId side = conv(2, 4, stage);
  const NodeId joined = graph.add(Concat{}, {side, stage}, "joined");
  const NodeId last = conv(1, 6, joined);
  graph.set_outputs({{"out", last}});

  const auto groups = channel_groups(graph);
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_THAT(groups[0].makers, ElementsAre(stem, second));
  EXPECT_THAT(groups[0].maps, ElementsAre(live, pool, second, stage));
  EXPECT_THAT(groups[1].makers, ElementsAre(first));
  EXPECT_THAT(groups[1].maps, ElementsAre(inner));
  EXPECT_THAT(groups[2].maps, ElementsAre(side));
  std::vector<std::pair<NodeId, int64_t>> readers;
  for (const auto& reader : groups[0].readers) readers.emplace_back(reader.conv, reader.first);
  EXPECT_THAT(readers, ::testing::UnorderedElementsAre(std::pair(first, 0), std::pair(side, 0),
                                                       std::pair(last, 2)));
}

}  // namespace
}  // namespace dualdepth::graph
