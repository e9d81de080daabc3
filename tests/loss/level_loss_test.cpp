#include "dualdepth/loss/level_loss.h"

#include <gtest/gtest.h>
#include <torch/nn/functional.h>

#include <cmath>

#include "dualdepth/loss/ordinal_loss.h"
#include "loss/finite_difference.h"

namespace dualdepth {
namespace {

constexpr int64_t kPixels = 5;
constexpr int64_t kLevels = 7;

class LevelLoss : public ::testing::Test {
 protected:
  void SetUp() override { torch::manual_seed(0); }

  const torch::TensorOptions kDouble = torch::kFloat64;
  const DepthCodec codec_{
      {.spacing = Spacing::kLog, .n_integer_levels = kLevels, .min_depth = 0.5, .max_depth = 20}};
};

LevelTargets soft_targets_of(const DepthCodec& codec, const torch::Tensor& depth, double sigma) {
  return soft_label_targets(codec.encode(depth), codec, sigma);
}

TEST_F(LevelLoss, SoftLabelsAreAGaussianAroundThePlaceOfTheDepth) {
  const DepthCodec codec(
      {.n_integer_levels = 64, .min_depth = 1, .max_depth = 65});  // a level is 1 m
  // 11.5 m is the centre of level 10: neighbours weigh exp(-1/8), exp(-4/8) of it at sigma 2.
  const auto depth = torch::tensor({11.5, 1.0, 65.0}, kDouble);
  const LevelTargets targets = soft_targets_of(codec, depth, 2);
  ASSERT_EQ(targets.level.size(1), 17);
  const auto dense = torch::zeros({3, 64}, kDouble).scatter(1, targets.level, targets.weight);
  EXPECT_TRUE(torch::allclose(dense.sum(1), torch::ones(3, kDouble)));
  EXPECT_NEAR((dense[0][11] / dense[0][10]).item<double>(), std::exp(-1.0 / 8), 1e-12);
  EXPECT_NEAR((dense[0][8] / dense[0][10]).item<double>(), std::exp(-4.0 / 8), 1e-12);
  // At the ends of the range the label leans against the first and the last level.
  EXPECT_EQ(dense[1].argmax().item<int64_t>(), 0);
  EXPECT_EQ(dense[2].argmax().item<int64_t>(), 63);
  EXPECT_NEAR((dense[1][1] / dense[1][0]).item<double>(), std::exp((0.25 - 2.25) / 8), 1e-12);
}

TEST_F(LevelLoss, SoftLabelsAtABoundaryWeighBothNeighboursAlike) {
  const DepthCodec codec({.n_integer_levels = 64, .min_depth = 1, .max_depth = 65});
  const LevelTargets targets = soft_targets_of(codec, torch::tensor({12.0}, kDouble), 0.5);
  const auto dense = torch::zeros({1, 64}, kDouble).scatter(1, targets.level, targets.weight)[0];
  EXPECT_NEAR(dense[10].item<double>(), dense[11].item<double>(), 1e-12);
}

// LibTorch's own softmax and cross-entropy, dense; 300 rows make three blocks.
TEST_F(LevelLoss, StatisticsAndGradientEqualDenseSoftmax) {
  const DepthCodec codec(CodecOptions{});
  const auto depth = torch::rand({300}) * 79 + 0.5;
  const LevelTargets targets = soft_targets_of(codec, depth, 2);
  const auto logits = (torch::randn({300, 256}) * 3).requires_grad_(true);
  const auto values = codec.level_depths();
  const auto combine = [](const LevelStatistics& s) {
    return s.cross_entropy.mean() + s.expected.log().mean() + s.logsumexp.square().mean();
  };

  const LevelStatistics fused = level_statistics(logits, targets, values);
  combine(fused).backward();
  const auto fused_gradient = logits.grad().clone();
  logits.mutable_grad().zero_();

  const auto dense = torch::zeros({300, 256}).scatter(1, targets.level, targets.weight);
  const auto p = logits.softmax(1);
  const LevelStatistics reference{
      torch::nn::functional::cross_entropy(
          logits, dense, torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kNone)),
      (p * values).sum(1), logits.logsumexp(1)};
  combine(reference).backward();
  EXPECT_TRUE(torch::allclose(fused.cross_entropy, reference.cross_entropy, 1e-5, 1e-5));
  EXPECT_TRUE(torch::allclose(fused.expected, reference.expected, 1e-5));
  EXPECT_TRUE(torch::allclose(fused.logsumexp, reference.logsumexp, 1e-5));
  EXPECT_TRUE(torch::allclose(fused_gradient, logits.grad(), 1e-4, 1e-7));
}

TEST_F(LevelLoss, GradientsEqualFiniteDifferences) {
  const auto logits = torch::randn({kPixels, kLevels}, kDouble);
  const auto depth = torch::rand({kPixels}, kDouble) * 19 + 0.6;
  const auto values = codec_.level_depths().to(torch::kFloat64);
  const auto weights = torch::rand({3, kPixels}, kDouble);
  for (const LevelTargets& targets :
       {one_hot_targets(codec_.encode(depth)), soft_targets_of(codec_, depth, 0.7)}) {
    const auto statistics = [&](const torch::Tensor& x) {
      return level_statistics(x, targets, values);
    };
    expect_gradient_is_exact(
        [&](const auto& x) { return (statistics(x).cross_entropy * weights[0]).sum(); }, logits);
    expect_gradient_is_exact(
        [&](const auto& x) { return (statistics(x).expected * weights[1]).sum(); }, logits);
    expect_gradient_is_exact(
        [&](const auto& x) { return (statistics(x).logsumexp * weights[2]).sum(); }, logits);
  }
}

TEST_F(LevelLoss, StaysFiniteForLargeLogits) {
  const auto logits = torch::tensor({{1e4, -1e4, 0.0}}).requires_grad_(true);
  const LevelTargets targets{torch::tensor({{int64_t{1}}}), torch::ones({1, 1})};
  const LevelStatistics statistics =
      level_statistics(logits, targets, torch::tensor({1.0, 2.0, 3.0}));
  EXPECT_FLOAT_EQ(statistics.cross_entropy.item<float>(), 2e4);
  EXPECT_FLOAT_EQ(statistics.expected.item<float>(), 1);
  statistics.cross_entropy.sum().backward();
  EXPECT_TRUE(torch::equal(logits.grad(), torch::tensor({{1.0, -1.0, 0.0}})));
}

TEST_F(LevelLoss, OrdinalGradientEqualsFiniteDifferences) {
  const auto level = torch::tensor({0, 6, 3, 1, 5});
  expect_gradient_is_exact([&](const auto& x) { return ordinal_loss(x, level).sum(); },
                           torch::randn({kPixels, kLevels}, kDouble));
}

TEST_F(LevelLoss, OrdinalCostsMoreTheFartherTheLevelIsWrong) {
  const auto logits = 8 * torch::eye(kLevels, kDouble);  // pixel k says level k
  const auto loss = ordinal_loss(logits, torch::full({kLevels}, 2));
  for (int64_t k = 2; k + 1 < kLevels; ++k) {
    EXPECT_LT(loss[k].item<double>(), loss[k + 1].item<double>());
  }
  EXPECT_GT(loss[0].item<double>(), loss[1].item<double>());
  EXPECT_LT(loss[2].item<double>(), 0.02);
}

}  // namespace
}  // namespace dualdepth
