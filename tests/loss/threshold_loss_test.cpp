#include "dualdepth/loss/threshold_loss.h"

#include <gtest/gtest.h>
#include <torch/nn/functional.h>

#include <cmath>

#include "loss/finite_difference.h"

namespace dualdepth {
namespace {

CodecOptions four_levels() {
  return {.n_integer_levels = 4, .min_depth = 2, .max_depth = 10};  // a level is 2 m
}

// By hand: thresholds at 3, 5, 7 and 9 m weigh 1/5, 1/7, 1/9 and 1/11, times 4 over their sum.
TEST(ThresholdWeights, AreInverseToTheThresholdsDepth) {
  const auto weights = threshold_weights(four_levels(), {});
  const double sum = 1.0 / 5 + 1.0 / 7 + 1.0 / 9 + 1.0 / 11;
  for (int64_t k = 0; k < 4; ++k) {
    EXPECT_NEAR(weights[k].item<double>(), 4 / (5 + 2 * static_cast<double>(k)) / sum, 1e-6) << k;
  }
}

TEST(ThresholdWeights, MoveTowardsEachOtherWithALargeOffset) {
  LossOptions options;
  options.threshold_offset = 1e4;
  const auto weights = threshold_weights(four_levels(), options);
  EXPECT_LT((weights - 1).abs().max().item<double>(), 1e-3);
  options.threshold_weighting = ThresholdWeighting::kUniform;
  EXPECT_TRUE(threshold_weights(four_levels(), options).equal(torch::ones({4})));
}

// LibTorch's own binary cross-entropy and sigmoid, dense; 300 rows make three blocks.
TEST(ThresholdStatistics, AndGradientEqualDenseBinaryCrossEntropy) {
  torch::manual_seed(2);
  constexpr int64_t kLevels = 256;
  const auto position = torch::rand({300}) * kLevels;
  const auto weights = torch::rand({kLevels}) + 0.5;
  const auto logits = torch::randn({300, kLevels}) * 4;
  auto target = torch::zeros({300, kLevels});
  for (int64_t k = 0; k < kLevels; ++k) {
    target.select(1, k).copy_((position - static_cast<double>(k)).clamp(0, 1));
  }
  const auto a = torch::randn({300});
  const auto b = torch::randn({300});

  const auto dense_leaf = logits.clone().requires_grad_();
  const auto dense = torch::nn::functional::binary_cross_entropy_with_logits(
                         dense_leaf, target,
                         torch::nn::functional::BinaryCrossEntropyWithLogitsFuncOptions()
                             .weight(weights)
                             .reduction(torch::kNone))
                         .mean(1);
  const auto dense_position = dense_leaf.sigmoid().sum(1);
  (dense * a + dense_position * b).sum().backward();

  const auto leaf = logits.clone().requires_grad_();
  const auto statistics = threshold_statistics(leaf, position, weights);
  EXPECT_TRUE(torch::allclose(statistics.cross_entropy, dense, 1e-5, 1e-6));
  EXPECT_TRUE(torch::allclose(statistics.position, dense_position, 1e-5, 1e-4));
  (statistics.cross_entropy * a + statistics.position * b).sum().backward();
  EXPECT_TRUE(torch::allclose(leaf.grad(), dense_leaf.grad(), 1e-4, 1e-6));
}

TEST(ThresholdStatistics, GradientsEqualFiniteDifferences) {
  torch::manual_seed(3);
  const auto options = torch::dtype(torch::kFloat64);
  const auto position = torch::tensor({0.0, 1.25, 3.5, 4.0}, options);
  const auto weights = torch::tensor({2.0, 1.0, 0.5, 0.5}, options);
  const auto logits = torch::randn({4, 4}, options);
  expect_gradient_is_exact(
      [&](const auto& z) { return threshold_statistics(z, position, weights).cross_entropy.sum(); },
      logits);
  expect_gradient_is_exact(
      [&](const auto& z) {
        return threshold_statistics(z, position, weights).position.square().sum();
      },
      logits);
}

// The least cross-entropy is that of the targets themselves: their entropy.
TEST(ThresholdStatistics, CrossEntropyIsLeastWhereTheSigmoidsAreTheTargets) {
  const auto position = torch::tensor({1.25});
  const auto weights = torch::ones({4});
  const auto at = [&](double second) {
    const auto logits = torch::tensor({{20.0, second, -20.0, -20.0}}).to(torch::kFloat32);
    return threshold_statistics(logits, position, weights).cross_entropy.item<double>();
  };
  const double best = std::log(0.25 / 0.75);
  const double entropy = -(0.25 * std::log(0.25) + 0.75 * std::log(0.75));
  EXPECT_NEAR(at(best), entropy / 4, 1e-6);
  EXPECT_GT(at(best + 0.1), at(best));
  EXPECT_GT(at(best - 0.1), at(best));
}

}  // namespace
}  // namespace dualdepth
