#include "dualdepth/codec/threshold_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "dualdepth/base/error.h"
#include "dualdepth/codec/depth_codec.h"
#include "dualdepth/codec/level_axis.h"

namespace dualdepth {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const auto kDouble = torch::dtype(torch::kFloat64);

// By hand: m = 1, M = 81, K = 4.
TEST(LevelAxis, PlacesDepthsOnEachSpacing) {
  CodecOptions options{.n_integer_levels = 4, .min_depth = 1, .max_depth = 81};
  const auto expect = [&](double depth, double position) {
    const auto got = depth_to_position(torch::tensor({depth}, kDouble), options);
    EXPECT_NEAR(got.item<double>(), position, 1e-9);
    const auto back = position_to_depth(torch::tensor({position}, kDouble), options);
    EXPECT_NEAR(back.item<double>(), depth, 1e-9);
  };
  options.spacing = Spacing::kLinear;
  expect(21, 1);  // a level is 20 m
  options.spacing = Spacing::kLog;
  expect(9, 2);  // a level is a factor of 3
  options.spacing = Spacing::kInverse;
  expect(81.0 / 41, 2);  // 1/1 - 40/81 = 41/81
}

TEST(LevelAxis, TakesDepthsAndPositionsBeyondItsEndsAsTheEnds) {
  const CodecOptions options{.n_integer_levels = 4, .min_depth = 1, .max_depth = 81};
  EXPECT_TRUE(
      depth_to_position(torch::tensor({0.5F, 99.F}), options).equal(torch::tensor({0.F, 4.F})));
  EXPECT_TRUE(
      position_to_depth(torch::tensor({-1.F, 5.F}), options).equal(torch::tensor({1.F, 81.F})));
}

TEST(ThresholdTargets, AreTheSharesOfThePositionBeyondEachThreshold) {
  const auto targets = threshold_targets(torch::tensor({2.25F, 0.F, 4.F}), 4);
  const auto expected =
      torch::tensor({{1.F, 1.F, 0.25F, 0.F}, {0.F, 0.F, 0.F, 0.F}, {1.F, 1.F, 1.F, 1.F}});
  EXPECT_TRUE(targets.equal(expected));
}

// sum t_k = x, and the alternating sum is the fraction of codec `reflected`.
TEST(ThresholdTargets, SumToThePositionAndAlternateToTheReflectedFraction) {
  const CodecOptions options{.n_integer_levels = 256, .min_depth = 0.1, .max_depth = 80};
  const auto depth = torch::linspace(0.1, 80, 5000, kDouble);
  const auto position = depth_to_position(depth, options);
  const auto targets = threshold_targets(position, 256);
  EXPECT_LT((targets.sum(1) - position).abs().max().item<double>(), 1e-10);
  const auto sign = 1 - 2 * torch::arange(256, kDouble).remainder(2);
  const auto fraction = DepthCodec(options).encode(depth).fraction;
  EXPECT_LT((targets.mv(sign) - fraction).abs().max().item<double>(), 1e-10);
}

// By hand: the 45 % quantile is exceeded with probability 0.55, whose logit is ln(11/9).
TEST(LogitOffset, IsTheLogitOfTheProbabilityToBeExceeded) {
  EXPECT_EQ(logit_offset(0.5), 0);
  EXPECT_NEAR(logit_offset(0.45), std::log(11.0 / 9), 1e-12);
}

// By hand over 4 levels of 20 m each: exp(-4 (k + 1/2) / 4).
TEST(PriorLogits, AreThoseOfAnExponentialDistributionOfDepths) {
  const auto logits = prior_logits({.n_integer_levels = 4, .min_depth = 1, .max_depth = 81});
  for (int64_t k = 0; k < 4; ++k) {
    const double share = std::exp(-(static_cast<double>(k) + 0.5));
    EXPECT_NEAR(logits[k].item<double>(), std::log(share / (1 - share)), 1e-5) << k;
  }
  // exp(-1/128) is above 0.99.
  const auto fine = prior_logits({.n_integer_levels = 256});
  EXPECT_NEAR(fine[0].item<double>(), std::log(99.0), 1e-5);
}

TEST(PositionGroups, DivideTheLevels) {
  EXPECT_EQ(position_groups(256, 0), 16);
  EXPECT_EQ(position_groups(48, 0), 16);
  EXPECT_EQ(position_groups(100, 0), 4);
  EXPECT_EQ(position_groups(7, 0), 1);
  EXPECT_EQ(position_groups(256, 4), 4);
  EXPECT_THAT([] { position_groups(256, 3); },
              ThrowsMessage<Error>(HasSubstr("groups: expected a number that divides the 256")));
  EXPECT_THROW(position_groups(256, -16), Error);
}

TEST(GroupFilters, SumNeighbours) {
  const auto filters = group_filters(6, 2);
  ASSERT_EQ(filters.sizes(), torch::IntArrayRef({2, 6, 1, 1}));
  const auto values = torch::tensor({1.F, 2.F, 3.F, 10.F, 20.F, 30.F}).view({1, 6, 1, 1});
  EXPECT_TRUE(torch::conv2d(values, filters).flatten().equal(torch::tensor({6.F, 60.F})));
}

}  // namespace
}  // namespace dualdepth
