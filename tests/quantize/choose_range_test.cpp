#include "dualdepth/quantize/choose_range.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dualdepth::quantize {
namespace {

TEST(ToGrid, PutsZeroOnAStep) {
  // (1.55 + 1) / 255 = 0.01; 1 / 0.01 = 100.
  const auto grid = to_grid({-1, 1.55}, /*is_symmetric=*/false);
  EXPECT_FLOAT_EQ(grid.scale, 0.01F);
  EXPECT_EQ(grid.zero_point, 100);
  EXPECT_FALSE(grid.is_signed);
  EXPECT_NEAR(range_of(grid).low, -1, 1e-6);
  EXPECT_NEAR(range_of(grid).high, 1.55, 1e-6);
}

TEST(ToGrid, IsSymmetricAroundZeroForTensorRt) {
  const auto grid = to_grid({-2.54, 1}, /*is_symmetric=*/true);
  EXPECT_FLOAT_EQ(grid.scale, 0.02F);
  EXPECT_EQ(grid.zero_point, 0);
  EXPECT_TRUE(grid.is_signed);
}

TEST(Histogram, CountsBetweenTheEndsAndClampsOutside) {
  Histogram histogram({0, 2048});
  histogram.add(torch::tensor({0.5F, 1.5F, 1.7F, 2047.5F, 5000.F}));
  EXPECT_EQ(histogram.counts().at(0), 1);
  EXPECT_EQ(histogram.counts().at(1), 2);
  EXPECT_EQ(histogram.counts().at(2047), 2);
  EXPECT_EQ(histogram.total(), 5);
  EXPECT_DOUBLE_EQ(histogram.quantile(0.6), 2);
}

TEST(RangeOfTensor, AlwaysHoldsZero) {
  EXPECT_EQ(range_of(torch::tensor({2.F, 3.F})).low, 0);
  EXPECT_EQ(range_of(torch::tensor({-2.F, -3.F})).high, 0);
  EXPECT_FALSE(range_of(torch::tensor({1.F, std::nanf("")})).is_finite());
}

// Whichever of two pictures was not finite, and in whatever order they are merged.
TEST(ValueRange, KeepsNaNWhateverIsIncludedAfterIt) {
  ValueRange first;
  first.include({std::nan(""), std::nan("")});
  first.include({-1, 2});
  EXPECT_FALSE(first.is_finite());
  ValueRange second;
  second.include({-1, 2});
  second.include({std::nan(""), 1});
  EXPECT_FALSE(second.is_finite());
  second.include({-3, 4});
  EXPECT_FALSE(second.is_finite());
  EXPECT_EQ(second.high, 4);
}

// 100,000 values evenly in 0..1 and a few outliers.
Histogram with_outliers(double outlier, int64_t count) {
  Histogram histogram({0, outlier});
  histogram.add(torch::arange(100000, torch::kFloat32) / 100000);
  histogram.add(torch::full({count}, outlier));
  return histogram;
}

TEST(ChooseRange, MinMaxKeepsAll) {
  EXPECT_EQ(choose_range(with_outliers(4, 3), RangeMethod::kMinMax).high, 4);
}

TEST(ChooseRange, PercentileLeavesOneInTenThousandOut) {
  // 3 of 100,003 are less than 0.01 %; 1000 of 101,000 are more.
  EXPECT_LT(choose_range(with_outliers(4, 3), RangeMethod::kPercentile).high, 1.01);
  EXPECT_EQ(choose_range(with_outliers(4, 1000), RangeMethod::kPercentile).high, 4);
}

// One outlier clipped from 4 to 1.2 costs 7.84; steps of 4/255 in place of 1.2/255 cost
// 100,000 (4^2 - 1.2^2) / 255^2 / 12 = 1.87 more: it pays to keep it. From 4000 outliers on not; a
// single one at 1.3 is clipped when that costs less than the steps.
TEST(ChooseRange, LeastSquaresWeighsClippingAgainstSteps) {
  EXPECT_EQ(choose_range(with_outliers(4, 1000), RangeMethod::kMse).high, 4);
  Histogram many({0, 4});
  for (int i = 0; i < 100; ++i) many.add(torch::arange(100000, torch::kFloat32) / 100000);
  many.add(torch::full({1}, 4.F));
  // 100 times as many values: the steps cost 187, clipping still at most 9.
  EXPECT_LT(choose_range(many, RangeMethod::kMse).high, 1.5);
}

TEST(ChooseRange, EntropyClipsARareTail) {
  torch::manual_seed(3);
  Histogram histogram({0, 40});
  histogram.add(torch::randn({100000}).abs());
  histogram.add(torch::full({3}, 40.F));
  EXPECT_LT(choose_range(histogram, RangeMethod::kEntropy).high, 20);
}

}  // namespace
}  // namespace dualdepth::quantize
