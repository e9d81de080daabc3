#include "dualdepth/metrics/depth_difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

DepthDifference difference_of(std::vector<float> depth, std::vector<float> reference) {
  DepthDifferenceAccumulator accumulator;
  accumulator.add(cv::Mat(1, static_cast<int>(depth.size()), CV_32FC1, depth.data()),
                  cv::Mat(1, static_cast<int>(reference.size()), CV_32FC1, reference.data()));
  return accumulator.result();
}

// By hand: |p - q| is 0, 500, 2000, 1 and 4000 mm; the ratios are 1, 1.05, 1.25, 1.001 and 1.2.
TEST(DepthDifference, IsTheMeanTheMedianAndTheSharesWithinTwoFactors) {
  const auto difference = difference_of({4, 10.5F, 8, 1.001F, 24}, {4, 10, 10, 1, 20});
  EXPECT_EQ(difference.pixels, 5U);
  EXPECT_NEAR(difference.mean_mm, (0 + 500 + 2000 + 1 + 4000) / 5.0, 1e-4);
  EXPECT_EQ(difference.median_mm, 500);
  // Both factors are strict, as in d1: 1.25 is not within 1.25, nor 1.05 within 1.05.
  EXPECT_DOUBLE_EQ(difference.within_1_25, 4 / 5.0);
  EXPECT_DOUBLE_EQ(difference.within_1_05, 2 / 5.0);
}

// 0 and 0.5 mm; 1.5 mm; 150 mm; 12 m: the edges are 1, 2, 5, 10, 20, 50, 100, 200, ... 10,000 mm.
TEST(DepthDifference, HistogramHasAnOpenLastBin) {
  const auto difference = difference_of({2, 2.0005F, 2.0015F, 2.15F, 14}, {2, 2, 2, 2, 2});
  const auto& histogram = difference.histogram;
  EXPECT_DOUBLE_EQ(histogram[0], 2 / 5.0);
  EXPECT_DOUBLE_EQ(histogram[1], 1 / 5.0);
  EXPECT_DOUBLE_EQ(histogram[7], 1 / 5.0);
  EXPECT_DOUBLE_EQ(histogram[13], 1 / 5.0);
  EXPECT_DOUBLE_EQ(std::accumulate(histogram.begin(), histogram.end(), 0.0), 1);
}

// By hand: q is 1, 9, 10 and 30; |p - q| is 500, 1000, 2000 and 4000 mm. 10 lies in the second
// range.
TEST(DepthDifference, RangesOfTheReferenceHaveTheirOwnMeans) {
  std::vector<float> depth{1.5F, 10, 12, 34};
  std::vector<float> reference{1, 9, 10, 30};
  DepthDifferenceAccumulator accumulator({{0, 10}, {10, 20}, {40, 80}});
  accumulator.add(cv::Mat(1, 4, CV_32FC1, depth.data()), cv::Mat(1, 4, CV_32FC1, reference.data()));
  const auto bins = accumulator.result().bins;
  ASSERT_EQ(bins.size(), 3U);
  EXPECT_EQ(bins[0].name, "0-10");
  EXPECT_EQ(bins[0].pixels, 2U);
  EXPECT_NEAR(bins[0].mean_mm, 750, 1e-3);
  EXPECT_NEAR(bins[1].mean_mm, 2000, 1e-3);
  EXPECT_EQ(bins[2].pixels, 0U);
  EXPECT_EQ(bins[2].mean_mm, 0);
}

// An edge belongs to the bin that it begins: 500 mm lies in [500, 1000).
TEST(DepthDifference, AnEdgeBeginsItsBin) {
  EXPECT_DOUBLE_EQ(difference_of({2.5F}, {2}).histogram[9], 1);
}

TEST(DepthDifference, OfAnEvenNumberOfPixelsHasTheLowerMedian) {
  EXPECT_EQ(difference_of({1.25F, 1.5F, 2, 3}, {1, 1, 1, 1}).median_mm, 500);
}

TEST(DepthDifference, MedianIsAtMostOnePartIn2048TooSmall) {
  const double median = difference_of({10.0037F}, {10}).median_mm;
  const double exact = 1000 * (double{10.0037F} - 10);
  EXPECT_LE(median, exact);
  EXPECT_GT(median, exact * (1 - 1 / 2048.0));
}

// The reference has no depth in the first two pixels; the other model has none in the next two.
TEST(DepthDifference, PixelsWithoutDepthAreCountedNeverAveraged) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto difference = difference_of({5, 5, nan, 0, 6, 5}, {nan, 0, 5, 5, 5, 5});
  EXPECT_EQ(difference.pixels, 4U);
  EXPECT_EQ(difference.without_depth, 2U);
  EXPECT_DOUBLE_EQ(difference.mean_mm, 500);
  EXPECT_DOUBLE_EQ(difference.within_1_25, 2 / 4.0);
  EXPECT_DOUBLE_EQ(difference.within_1_05, 1 / 4.0);
}

TEST(DepthDifference, WithoutAPixelIsZeroNotNaN) {
  const DepthDifference difference = DepthDifferenceAccumulator().result();
  EXPECT_EQ(difference.pixels, 0U);
  EXPECT_EQ(difference.mean_mm, 0);
  EXPECT_EQ(difference.within_1_25, 0);
}

TEST(DepthDifference, MapsOfDifferentSizesAreRefused) {
  EXPECT_THAT([] { difference_of({1, 2}, {1}); }, ThrowsMessage<Error>(HasSubstr("1 x 1")));
}

}  // namespace
}  // namespace dualdepth
