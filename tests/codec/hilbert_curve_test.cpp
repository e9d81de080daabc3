#include "dualdepth/codec/hilbert_curve.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>

#include "dualdepth/codec/level_axis.h"

namespace dualdepth {
namespace {

const auto kDouble = torch::dtype(torch::kFloat64);

// The curve of order 2 by hilbert_points() of tests/loss/loss_golden.py, which joins four copies of
// the curve of order 1.
constexpr std::array<std::pair<int, int>, 16> kOrder2{{{0, 0},
                                                       {1, 0},
                                                       {1, 1},
                                                       {0, 1},
                                                       {0, 2},
                                                       {0, 3},
                                                       {1, 3},
                                                       {1, 2},
                                                       {2, 2},
                                                       {2, 3},
                                                       {3, 3},
                                                       {3, 2},
                                                       {3, 1},
                                                       {2, 1},
                                                       {2, 0},
                                                       {3, 0}}};

TEST(HilbertCurve, OfOrder2GoesThroughItsPointsInOrder) {
  const HilbertCurve curve(2);
  for (size_t d = 0; d < kOrder2.size(); ++d) {
    const double u = static_cast<double>(d) / 15;
    const auto point = curve.point_at(torch::tensor({u}, kDouble)).flatten();
    EXPECT_NEAR(point[0].item<double>() * 3, kOrder2[d].first, 1e-9) << d;
    EXPECT_NEAR(point[1].item<double>() * 3, kOrder2[d].second, 1e-9) << d;
  }
  // Halfway along the fifth segment, from (0, 2) to (0, 3).
  const auto between = curve.point_at(torch::tensor({4.5 / 15}, kDouble)).flatten();
  EXPECT_NEAR(between[0].item<double>(), 0, 1e-9);
  EXPECT_NEAR(between[1].item<double>(), 2.5 / 3, 1e-9);
}

TEST(HilbertCurve, IsContinuousAndVisitsEachPointOnce) {
  for (int64_t order = 1; order <= 6; ++order) {
    const int64_t side = int64_t{1} << order;
    const auto u = torch::linspace(0, 1, side * side, kDouble);
    const auto points = (HilbertCurve(order).point_at(u) * static_cast<double>(side - 1)).round();
    const auto steps = (points.slice(0, 1) - points.slice(0, 0, -1)).abs().sum(1);
    EXPECT_EQ(steps.min().item<double>(), 1) << order;
    EXPECT_EQ(steps.max().item<double>(), 1) << order;
    const auto number = points.select(1, 0) * static_cast<double>(side) + points.select(1, 1);
    const auto sorted = std::get<0>(number.sort());
    EXPECT_TRUE(sorted.equal(torch::arange(side * side, kDouble))) << order;
  }
}

TEST(HilbertCurve, NearestOfAPointOfTheCurveIsItsPlace) {
  for (int64_t order = 1; order <= 6; ++order) {
    const HilbertCurve curve(order);
    const auto u = torch::linspace(0, 1, 997, kDouble);
    EXPECT_LT((curve.nearest(curve.point_at(u)) - u).abs().max().item<double>(), 1e-9) << order;
  }
}

// Against a search over 200,000 points of the curve.
TEST(HilbertCurve, NearestIsAsNearAsASearchFinds) {
  torch::manual_seed(1);
  for (int64_t order = 1; order <= 5; ++order) {
    const HilbertCurve curve(order);
    const auto points = 1.2 * torch::rand({40, 2}, kDouble) - 0.1;
    const auto inside = points.clamp(0, 1);
    const auto found = curve.point_at(curve.nearest(points));
    const auto distance = (found - inside).square().sum(1).sqrt();
    const auto samples = curve.point_at(torch::linspace(0, 1, 200001, kDouble));
    for (int64_t i = 0; i < 40; ++i) {
      const auto least = (samples - inside[i]).square().sum(1).min().sqrt().item<double>();
      EXPECT_LE(distance[i].item<double>(), least + 1e-9) << order;
      EXPECT_GE(distance[i].item<double>(), least - 1e-3) << order;
    }
  }
}

// On a polyline that is 2^p + 1 times as long as its square is wide. Corners of orders 2 and 4 lie
// on codes (255 / 3 and 255 / 15 are whole), so that rounding moves along the curve by half a code
// at most. Of orders 3 and 5 it also moves across, and near a corner the nearest side may be the
// other one: half a code before the corner, half behind, half across.
TEST(HilbertDepth, OfTwoBytesErrsByHalfACodeOfTheCurvesLengthOrThreeHalves) {
  CodecOptions options{.n_integer_levels = 256, .min_depth = 0.1, .max_depth = 80};
  const auto depth = torch::linspace(0.1, 80, 20001, kDouble);
  for (const auto& [order, halves] : {std::pair(2, 1), {3, 3}, {4, 1}, {5, 3}}) {
    options.hilbert_order = order;
    const auto bytes = (hilbert_targets(depth, options) * 255).round() / 255;
    const auto error = (hilbert_depth(bytes, options) - depth).abs().max().item<double>();
    const double half_code = 79.9 / ((1 << order) + 1) / 510;
    EXPECT_LT(error, 1.001 * halves * half_code) << order;
  }
}

TEST(HilbertDepth, RunsAlongTheLevelAxisOfEachSpacing) {
  const auto depth = torch::tensor({0.5, 3.0, 42.0}, kDouble);
  for (const auto spacing : {Spacing::kLinear, Spacing::kLog, Spacing::kInverse}) {
    const CodecOptions options{.spacing = spacing, .hilbert_order = 4};
    const auto u = depth_to_position(depth, options) / 256;
    EXPECT_TRUE(torch::allclose(hilbert_targets(depth, options), HilbertCurve(4).point_at(u)));
    EXPECT_TRUE(torch::allclose(hilbert_depth(hilbert_targets(depth, options), options), depth));
  }
}

}  // namespace
}  // namespace dualdepth
