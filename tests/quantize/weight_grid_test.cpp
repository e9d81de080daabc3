#include "dualdepth/quantize/weight_grid.h"

#include <gtest/gtest.h>

#include "dualdepth/quantize/adaptive_rounding.h"

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
  graph::Conv conv{torch::ones({1, 1, 1, 1}), torch::tensor({0.123F})};
  conv = on_grid(std::move(conv), torch::ones({1, 1, 1, 1}), torch::ones({1}), 0.05F);
  EXPECT_FLOAT_EQ(conv.bias.item<float>(), 0.1F);  // 2 times 0.05
  EXPECT_EQ(graph::integer_bias(conv, 0.05F).item<int32_t>(), 2);
}

// Six correlated inputs: of all 2^6 ways to round up or down, found one by one, the adaptive one
// comes close to the best, and rounding to nearest does not.
TEST(AdaptiveRounding, ComesCloseToTheBestOfAllRoundings) {
  torch::manual_seed(5);
  const int64_t inputs = 6;
  const auto common = torch::randn({500, 1});
  const auto x = common + 0.3 * torch::randn({500, inputs});
  const auto weight = torch::tensor({{0.4F, 0.4F, 0.45F, 0.4F, 0.35F, 0.4F}});
  const auto scale = torch::ones({1});
  const auto centred = x - x.mean(0, true);
  const auto error = [&](const torch::Tensor& rounded) {
    return centred.matmul((weight - rounded).t()).square().mean().item<double>();
  };
  double best = 1e9;
  for (int way = 0; way < 64; ++way) {
    auto rounded = torch::zeros({1, inputs});
    for (int64_t i = 0; i < inputs; ++i) rounded[0][i] = (way >> i) & 1;
    best = std::min(best, error(rounded));
  }
  const double nearest = error(torch::zeros({1, inputs}));
  const double adaptive = error(AdaptiveRounding(x).round(weight, scale));
  EXPECT_GT(nearest, 5 * best);
  EXPECT_LT(adaptive, 1.5 * best);
}

TEST(AdaptiveRounding, RefitFollowsTheTargets) {
  torch::manual_seed(6);
  const auto x = torch::randn({4000, 3});
  const auto wanted = torch::tensor({{1.F, -2.F, 0.5F}});
  const auto start = torch::tensor({{1.2F, -2.1F, 0.3F}});
  const auto moved = AdaptiveRounding(x).refit(start, x.matmul(wanted.t()) + 7);
  EXPECT_TRUE(torch::allclose(moved, wanted, 0, 0.01));
}

}  // namespace
}  // namespace dualdepth::quantize
