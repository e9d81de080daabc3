#include "dualdepth/quantize/choose_range.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dualdepth::quantize {
namespace {

TEST(ToGrid, PutsZeroOnAStep) {
  // (1.55 + 1) / 255 = 0.01; 1 / 0.01 = 100.
  const auto grid = to_grid({-1, 1.55}, {});
  EXPECT_FLOAT_EQ(grid.scale, 0.01F);
  EXPECT_EQ(grid.zero_point, 100);
  EXPECT_FALSE(grid.is_signed);
  EXPECT_NEAR(range_of(grid).low, -1, 1e-6);
  EXPECT_NEAR(range_of(grid).high, 1.55, 1e-6);
}

// 65535 / 64 in 65535 steps; 2 in 32767 steps.
TEST(ToGrid, Has65536CodesOf16Bits) {
  const auto value = to_grid({-1, 65535.0 / 64 - 1}, {.bits = 16});
  EXPECT_EQ(value.scale, 0.015625F);
  EXPECT_EQ(value.zero_point, 64);
  EXPECT_EQ(range_of(value).high, 65471.0 / 64);
  EXPECT_FLOAT_EQ(to_grid({-1, 2}, {.is_symmetric = true, .bits = 16}).scale, 2.F / 32767);
}

TEST(ToGrid, IsSymmetricAroundZeroForTensorRt) {
  const auto grid = to_grid({-2.54, 1}, {.is_symmetric = true});
  EXPECT_FLOAT_EQ(grid.scale, 0.02F);
  EXPECT_EQ(grid.zero_point, 0);
  EXPECT_TRUE(grid.is_signed);
}

// 0.02 and 2.54 / 127 = 0.02 lie above 2^-6 = 0.015625; 0.01 above 2^-7.
TEST(ToGrid, RoundsAScaleUpToAPowerOfTwo) {
  EXPECT_EQ(to_grid({-1, 1.55}, {.has_power_of_two_scale = true}).scale, 0.015625F);
  EXPECT_EQ(to_grid({-1, 1.55}, {.has_power_of_two_scale = true}).zero_point, 64);
  EXPECT_EQ(to_grid({-2.54, 1}, {.is_symmetric = true, .has_power_of_two_scale = true}).scale,
            0.03125F);
  EXPECT_EQ(to_grid({0, 255.0 / 64}, {.has_power_of_two_scale = true}).scale, 0.015625F);
}

// Values 0 to 23: one in each bin of width 1/128, wherever they lie in memory.
TEST(Histogram, CountsEachValueOfAnyLayoutOnce) {
  const auto values = torch::arange(24, torch::kFloat32).view({1, 2, 3, 4});
  const auto channels_last = values.contiguous(torch::MemoryFormat::ChannelsLast);
  const auto with_gaps = torch::constant_pad_nd(values, {1, 2}, 99).slice(3, 1, 5);
  for (const auto& laid_out : {values, channels_last, with_gaps, values.transpose(2, 3)}) {
    Histogram histogram;
    histogram.add(laid_out);
    EXPECT_EQ(histogram.total(), 24);
    EXPECT_EQ(histogram.range(), (ValueRange{0, 23}));
    for (int64_t value = 0; value < 24; ++value) {
      EXPECT_EQ(histogram.counts().at(static_cast<size_t>(value * 128)), 1) << value;
    }
  }
}

// 5000 / 2^k fits into 4096 bins from k = 1 on: bins of 2.
TEST(Histogram, WidensItsBinsToWhatItHasSeen) {
  Histogram histogram;
  histogram.add(torch::tensor({0.F, 0.F}));
  EXPECT_EQ(histogram.total(), 2);
  histogram.add(torch::tensor({0.5F, 1.5F, 1.7F, 2.F}));
  histogram.add(torch::tensor({5000.F, 4999.F}));
  EXPECT_EQ(histogram.edge(1), 2);
  EXPECT_EQ(histogram.counts().at(0), 5);
  EXPECT_EQ(histogram.counts().at(1), 1);
  EXPECT_EQ(histogram.counts().at(2499), 1);
  EXPECT_EQ(histogram.counts().at(2500), 1);
  EXPECT_EQ(histogram.total(), 8);
  EXPECT_EQ(histogram.range().high, 5000);
  EXPECT_DOUBLE_EQ(histogram.quantile(0.6), 2);
  EXPECT_DOUBLE_EQ(histogram.quantile(1), 5000);
}

TEST(Histogram, IsTheSameInWhateverOrderItIsFilled) {
  torch::manual_seed(8);
  std::vector<torch::Tensor> parts;
  for (const double size : {1e-3, 40.0, 1.0, 700.0}) parts.push_back(size * torch::randn({1000}));
  parts.push_back(torch::zeros({10}));
  Histogram forth, back, merged;
  for (const auto& part : parts) {
    forth.add(part);
    Histogram one;
    one.add(part);
    merged.merge(one);
  }
  for (size_t i = parts.size(); i-- > 0;) back.add(parts[i]);
  for (const auto* other : {&back, &merged}) {
    EXPECT_EQ(forth.counts(), other->counts());
    EXPECT_EQ(forth.edge(0), other->edge(0));
    EXPECT_EQ(forth.range().low, other->range().low);
  }
  EXPECT_EQ(forth.total(), 4010);
}

// Of 1, 2, 3, 4: sqrt(1.25).
TEST(Histogram, HasADeviation) {
  Histogram histogram;
  histogram.add(torch::tensor({1.F, 2.F, 3.F, 4.F}));
  EXPECT_NEAR(histogram.deviation(), 1.118034, 1e-5);
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
  Histogram histogram;
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
  Histogram many;
  for (int i = 0; i < 100; ++i) many.add(torch::arange(100000, torch::kFloat32) / 100000);
  many.add(torch::full({1}, 4.F));
  // 100 times as many values: the steps cost 187, clipping still at most 9.
  EXPECT_LT(choose_range(many, RangeMethod::kMse).high, 1.5);
}

// 100,000 values evenly in -1..1 and one at 1.9. Codes around 0 cost 100,000 (1.9 / 127)^2 / 12 =
// 1.87 when nothing is clipped and 100,000 (a / 127)^2 / 12 + (1.9 - a)^2 when 1.9 is clipped to a:
// the derivative 1.033 a - 2 (1.9 - a) vanishes at a = 1.25, where both terms together are 1.23.
// Codes with a zero point over -1..1.9 cost 100,000 (2.9 / 255)^2 / 12 = 1.08 and clip less.
TEST(ChooseRange, LeastSquaresAroundZeroMinimizesTheErrorOfCodesAroundZero) {
  Histogram histogram;
  histogram.add(torch::linspace(-1, 1, 100000));
  histogram.add(torch::full({1}, 1.9F));
  const auto range = choose_range(histogram, RangeMethod::kMse, {.is_symmetric = true});
  EXPECT_NEAR(to_grid(range, {.is_symmetric = true}).scale * 127, 1.25, 0.08);
}

TEST(ChooseRange, EntropyClipsARareTail) {
  torch::manual_seed(3);
  Histogram histogram;
  histogram.add(torch::randn({100000}).abs());
  histogram.add(torch::full({3}, 40.F));
  EXPECT_LT(choose_range(histogram, RangeMethod::kEntropy).high, 20);
}

}  // namespace
}  // namespace dualdepth::quantize
