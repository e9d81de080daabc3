#include "dualdepth/quantize/weight_grid.h"

#include <gtest/gtest.h>

namespace dualdepth::quantize {
namespace {

TEST(WeightScale, TakesEachFiltersGreatestWeight) {
  const auto weight = torch::tensor({1.27F, -0.5F, 0.02F, -2.54F}).view({2, 2, 1, 1});
  const auto scale = weight_scale(weight, WeightGranularity::kPerChannel);
  EXPECT_TRUE(torch::allclose(scale, torch::tensor({0.01F, 0.02F})));
  EXPECT_TRUE(torch::allclose(round_to_nearest(weight, scale),
                              torch::tensor({1.27F, -0.5F, 0.02F, -2.54F}).view({2, 2, 1, 1})));
}

TEST(WeightScale, OfATensorIsOne) {
  const auto weight = torch::tensor({1.27F, -0.5F, 0.02F, -2.54F}).view({2, 2, 1, 1});
  const auto scale = weight_scale(weight, WeightGranularity::kPerTensor);
  ASSERT_EQ(scale.numel(), 1);
  EXPECT_LE(scale.item<float>(), 0.0200001F);
}

TEST(RoundToNearest, TakesHalvesToEvenAndClamps) {
  const auto weight = torch::tensor({0.5F, 1.5F, -2.5F, 200.F}).view({4, 1, 1, 1});
  EXPECT_TRUE(torch::equal(round_to_nearest(weight, torch::ones({1})).flatten(),
                           torch::tensor({0.F, 2.F, -2.F, 127.F})));
}

TEST(OnGrid, RoundsTheBiasToTheSumsStep) {
  const auto filters =
      on_grid(torch::ones({1, 1, 1, 1}), torch::tensor({0.123F}), torch::ones({1}), 0.05F);
  EXPECT_FLOAT_EQ(filters.bias.item<float>(), 0.1F);  // 2 times 0.05
  EXPECT_EQ(graph::integer_bias(filters, 0.05F).item<int32_t>(), 2);
}

// A convolution over a value of scale 0.02 with a filter that is all 0, one that has nearly decayed
// and one that lives; the first two with biases that int32 cannot hold in their filters' own scales
// times 0.02: 2^31 * 1e-10 * 0.02 = 0.0043, 2^31 * 1e-6 / 127 * 0.02 = 0.34.
graph::Graph with_dead_filters(float input_scale) {
  graph::Graph graph;
  const auto image = graph.add_input("image", {1, 1, 2, 2});
  const auto value = graph.add(graph::FakeQuantize{input_scale, 0, false}, {image}, "");
  const auto conv = graph.add(graph::Conv{torch::tensor({0.F, 1e-6F, 1.27F}).view({3, 1, 1, 1}),
                                          torch::tensor({1.F, -0.5F, 0.25F})},
                              {value}, "conv");
  graph.set_outputs({{"value", conv}});
  return graph;
}

graph::Graph rounded(const graph::Graph& graph,
                     WeightGranularity granularity = WeightGranularity::kPerChannel,
                     BiasFormat bias = BiasFormat::kInt32) {
  return quantize_weights(graph, filter_scales(graph, granularity, {}), bias);
}

torch::Tensor stored_bias(const graph::Graph& graph, float input_scale) {
  const auto conv = graph::filters_in(graph.node(2).operation);
  return graph::integer_bias(conv, input_scale).to(torch::kFloat64) *
         conv.weight_scale.to(torch::kFloat64) * static_cast<double>(input_scale);
}

TEST(QuantizeWeights, KeepsTheBiasesOfDeadFilters) {
  for (const auto granularity : {WeightGranularity::kPerChannel, WeightGranularity::kPerTensor}) {
    const auto graph = rounded(with_dead_filters(0.02F), granularity);
    const auto expected = torch::tensor({1.0, -0.5, 0.25}, torch::kFloat64);
    EXPECT_TRUE(torch::allclose(stored_bias(graph, 0.02F), expected, 0, 2e-4));
    // The filter that lives is as it was: 127 codes of 0.01.
    const auto& conv = std::get<graph::Conv>(graph.node(2).operation);
    EXPECT_FLOAT_EQ(conv.weight.flatten()[2].item<float>(), 1.27F);
    EXPECT_FLOAT_EQ(conv.weight_scale[-1].item<float>(), 0.01F);
  }
}

// An input that was always 0 on the calibration pictures has a scale of 1e-8.
TEST(QuantizeWeights, KeepsTheBiasesBehindAnInputThatIsAlwaysZero) {
  const auto graph = rounded(with_dead_filters(1e-8F));
  const auto expected = torch::tensor({1.0, -0.5, 0.25}, torch::kFloat64);
  EXPECT_TRUE(torch::allclose(stored_bias(graph, 1e-8F), expected, 0, 1e-6));
}

TEST(QuantizeWeights, LeavesAFloatBiasAsItIs) {
  const auto before = with_dead_filters(0.02F);
  const auto graph = rounded(before, WeightGranularity::kPerChannel, BiasFormat::kFloat);
  const auto& conv = std::get<graph::Conv>(graph.node(2).operation);
  EXPECT_TRUE(torch::equal(conv.bias, torch::tensor({1.F, -0.5F, 0.25F})));
}

}  // namespace
}  // namespace dualdepth::quantize
