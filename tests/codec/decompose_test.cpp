#include "dualdepth/codec/decompose.h"

#include <gtest/gtest.h>

namespace dualdepth {
namespace {

constexpr double kMaxDepth = 30;

// Expected values by hand: M/(K-1) = 2/17 m, so 10 m is level 85 exactly and
// 12.345 m = 104.9325 steps -> level 105 = 12.352941 m, residual -0.007941 m.
TEST(DecomposeDepth, SplitsIntoNearestLevelAndSignedResidual) {
  const auto depth = torch::tensor({0.0, 10.0, 12.345, 20.0, 30.0}, torch::kFloat64);
  const auto [integer, fraction] = decompose_depth(depth, kMaxDepth);
  const auto levels = torch::tensor({0.0, 85.0, 105.0, 170.0, 255.0}, torch::kFloat64);
  const auto residuals = torch::tensor({0.0, 0.0, -0.00794117647, 0.0, 0.0}, torch::kFloat64);
  EXPECT_TRUE(torch::allclose(integer * 255, levels, 0, 1e-9));
  EXPECT_TRUE(torch::allclose(fraction, residuals, 0, 1e-9));
}

TEST(DecomposeDepth, RoundsHalfToEven) {
  // With M = 4 and K = 5 a level is 1 m.
  const auto [integer, fraction] =
      decompose_depth(torch::tensor({0.5, 1.5, 2.5, 3.5}, torch::kFloat64), 4, 5);
  EXPECT_TRUE(torch::equal(integer * 4, torch::tensor({0.0, 2.0, 2.0, 4.0}, torch::kFloat64)));
  EXPECT_TRUE(torch::equal(fraction, torch::tensor({0.5, -0.5, 0.5, -0.5}, torch::kFloat64)));
}

TEST(DecomposeDepth, ClampsTheLevelAndLeavesTheRestInTheFraction) {
  const auto [integer, fraction] =
      decompose_depth(torch::tensor({-1.0, 32.0}, torch::kFloat64), kMaxDepth);
  EXPECT_TRUE(torch::equal(integer, torch::tensor({0.0, 1.0}, torch::kFloat64)));
  EXPECT_TRUE(torch::equal(fraction, torch::tensor({-1.0, 2.0}, torch::kFloat64)));
}

TEST(DualHeadToDepth, UndoesTheDecomposition) {
  const auto depth = torch::linspace(0, 30, 10001);
  const auto [integer, fraction] = decompose_depth(depth, kMaxDepth);
  EXPECT_TRUE(torch::allclose(dual_head_to_depth(integer, fraction, kMaxDepth), depth, 0, 1e-5));
}

TEST(DualHeadToInvDepth, ClampsToMinDepthAndOneMetreBeyondMaxDepth) {
  const auto integer = torch::tensor({0.0, 0.5, 1.0, 1.0}, torch::kFloat64);
  const auto fraction = torch::tensor({0.0, 1.0, 0.5, 7.0}, torch::kFloat64);
  const auto expected = torch::tensor({1 / 0.1, 1 / 16.0, 1 / 30.5, 1 / 31.0}, torch::kFloat64);
  EXPECT_TRUE(torch::allclose(dual_head_to_inv_depth(integer, fraction, kMaxDepth, 0.1), expected));
}

}  // namespace
}  // namespace dualdepth
