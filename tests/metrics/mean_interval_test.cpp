#include "dualdepth/metrics/mean_interval.h"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

namespace dualdepth {
namespace {

// SciPy 1.17.1: scipy.stats.t.ppf(p, degrees).
TEST(StudentQuantile, EqualsScipy) {
  const std::vector<std::tuple<double, size_t, double>> expected{
      {0.975, 1, 12.706204736174694},   {0.975, 2, 4.302652729749462},
      {0.975, 3, 3.1824463052837078},   {0.975, 4, 2.7764451051977934},
      {0.975, 9, 2.262157162798205},    {0.975, 30, 2.0422724563012378},
      {0.975, 200, 1.9718962236339088}, {0.9, 5, 1.4758840488244815},
      {0.995, 7, 3.4994832973504924}};
  for (const auto& [p, degrees, quantile] : expected) {
    EXPECT_NEAR(student_quantile(p, degrees), quantile, 1e-8) << p << " " << degrees;
  }
}

TEST(StudentQuantile, OfTheMiddleIsZero) { EXPECT_NEAR(student_quantile(0.5, 3), 0, 1e-8); }

// SciPy 1.17.1: scipy.stats.sem(values) * scipy.stats.t.ppf(0.975, len(values) - 1).
TEST(MeanInterval, EqualsScipy) {
  const auto three = mean_interval(std::vector{0.141, 0.146, 0.136});
  EXPECT_NEAR(three.mean, 0.141, 1e-12);
  EXPECT_NEAR(three.half_width.value(), 0.012420688558751626, 1e-10);
  EXPECT_EQ(three.count, 3U);
  const auto four = mean_interval(std::vector{5.2, 5.42, 5.28, 5.31});
  EXPECT_NEAR(four.mean, 5.3025, 1e-12);
  EXPECT_NEAR(four.half_width.value(), 0.1448945353782064, 1e-9);
}

// scipy.stats.ttest_rel([0.130, 0.134, 0.129], [0.141, 0.146, 0.136]).confidence_interval(0.95):
// -0.0165724 to -0.0034276.
TEST(MeanInterval, OfDifferencesIsThePairedOne) {
  const auto paired = mean_interval(std::vector{0.130 - 0.141, 0.134 - 0.146, 0.129 - 0.136});
  EXPECT_NEAR(paired.mean - *paired.half_width, -0.016572410607728384, 1e-10);
  EXPECT_NEAR(paired.mean + *paired.half_width, -0.0034275893922715954, 1e-10);
  EXPECT_TRUE(paired.is_significant());
}

TEST(MeanInterval, OfOneValueHasNoWidth) {
  const auto one = mean_interval(std::vector{0.141});
  EXPECT_EQ(one.mean, 0.141);
  EXPECT_FALSE(one.half_width.has_value());
  EXPECT_FALSE(one.is_significant());
}

TEST(MeanInterval, OfEqualValuesIsAPoint) {
  EXPECT_EQ(mean_interval(std::vector{2.0, 2.0}).half_width, 0);
}

}  // namespace
}  // namespace dualdepth
