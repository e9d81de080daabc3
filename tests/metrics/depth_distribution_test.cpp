#include "dualdepth/metrics/depth_distribution.h"

#include <gtest/gtest.h>

#include <numeric>

namespace dualdepth {
namespace {

// From 0.5 to 15 m in 64 steps of equal ratio: ln(30) / 64 = 0.053144 each. Truth 1 m lies
// ln(2) / 0.053144 = 13.04 steps up, 14.9 m 63.87; predictions of 2 m 26.09.
TEST(DepthDistribution, CountsPairsInStepsOfEqualRatio) {
  DepthDistribution distribution(find_protocol("ncdb"));
  EXPECT_DOUBLE_EQ(distribution.low(), 0.5);
  EXPECT_DOUBLE_EQ(distribution.high(), 15);
  distribution.add(std::vector<float>{2, 0.5F, 15}, std::vector<float>{1, 14.9F, 14.9F});
  const auto& counts = distribution.counts();
  EXPECT_EQ(counts[13 * 64 + 26], 1);
  EXPECT_EQ(counts[63 * 64 + 0], 1);
  EXPECT_EQ(counts[63 * 64 + 63], 1);
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), int64_t{0}), 3);
}

// 24 intervals of 0.625 m: 1 and 1.2 m lie in the second, 14.9 m in the last.
TEST(DepthDistribution, GivesTheErrorOverDistance) {
  DepthDistribution distribution(find_protocol("ncdb"));
  distribution.add(std::vector<float>{2, 1.2F, 11.9F}, std::vector<float>{1, 1.2F, 14.9F});
  const auto errors = distribution.distance_errors();
  ASSERT_EQ(errors.size(), 24u);
  EXPECT_EQ(errors[0].pixels, 0u);
  EXPECT_DOUBLE_EQ(errors[1].from, 0.625);
  EXPECT_DOUBLE_EQ(errors[1].to, 1.25);
  EXPECT_EQ(errors[1].pixels, 2u);
  EXPECT_NEAR(errors[1].abs_rel, 0.5, 1e-6);
  EXPECT_NEAR(errors[1].mae, 0.5, 1e-6);
  EXPECT_EQ(errors[23].pixels, 1u);
  EXPECT_NEAR(errors[23].mae, 3, 1e-5);
}

TEST(DepthDistribution, RangeThatBeginsAtNothingSpansTwoDecades) {
  const DepthDistribution road(find_protocol("eigen-annotated"));
  EXPECT_DOUBLE_EQ(road.low(), 0.8);
  EXPECT_DOUBLE_EQ(road.high(), 80);
  EXPECT_NEAR(DepthDistribution(find_protocol("benchmark")).high(), 255.996, 1e-3);
}

}  // namespace
}  // namespace dualdepth
