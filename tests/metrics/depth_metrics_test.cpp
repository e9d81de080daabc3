#include "dualdepth/metrics/depth_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// By hand for p = (2, 4, 30), g = (4, 4, 20): differences 2, 0, 10; relative .5, 0, .5;
// ln ratios -ln 2, 0, ln 1.5.
TEST(MetricAccumulator, AgreesWithHandComputation) {
  MetricAccumulator accumulator;
  accumulator.add(std::vector<float>{2, 4, 30}, std::vector<float>{4, 4, 20});
  const DepthMetrics m = accumulator.metrics();
  const double a = std::log(2.0);
  const double b = std::log(1.5);
  EXPECT_EQ(accumulator.pixels(), 3u);
  EXPECT_NEAR(m.abs_rel, 1.0 / 3, 1e-12);
  EXPECT_NEAR(m.sq_rel, (1.0 + 0 + 5.0) / 3, 1e-12);
  EXPECT_NEAR(m.rmse, std::sqrt(104.0 / 3), 1e-12);
  EXPECT_NEAR(m.rmse_log, std::sqrt((a * a + b * b) / 3), 1e-12);
  EXPECT_NEAR(m.log10, (a + b) / std::log(10.0) / 3, 1e-12);
  EXPECT_NEAR(m.silog, 100 * std::sqrt((a * a + b * b) / 3 - std::pow((b - a) / 3, 2)), 1e-9);
  EXPECT_NEAR(m.irmse, std::sqrt((250.0 * 250 + 0 + std::pow(50.0 / 3, 2)) / 3), 1e-9);
  EXPECT_NEAR(m.mae, 4, 1e-12);
  EXPECT_NEAR(m.d1, 1.0 / 3, 1e-12);  // ratios 2, 1, 1.5 against 1.25, 1.5625, 1.953
  EXPECT_NEAR(m.d2, 2.0 / 3, 1e-12);
  EXPECT_NEAR(m.d3, 2.0 / 3, 1e-12);
  EXPECT_NEAR(m.abs_error_rel, 100.0 / 3, 1e-10);
  EXPECT_NEAR(m.sq_error_rel, 50.0 / 3, 1e-10);
}

TEST(MetricAccumulator, PerfectPredictionHasNoErrorAndFullShares) {
  MetricAccumulator accumulator;
  const std::vector<float> depth{0.1F, 3.7F, 79};
  accumulator.add(depth, depth);
  DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*metric) {
    EXPECT_EQ(accumulator.metrics().*metric, name.starts_with('d') ? 1 : 0) << name;
  });
}

TEST(MetricAccumulator, ConstantFactorLeavesSilogZeroAndFinite) {
  MetricAccumulator accumulator;
  accumulator.add(std::vector<float>(1000, 3.3F), std::vector<float>(1000, 1.1F));
  // mean e^2 = 1.2 is summed to 1e-13 or so, of which silog shows 100 times the root.
  EXPECT_NEAR(accumulator.metrics().silog, 0, 1e-4);
}

TEST(MetricAccumulator, SumsOfPartsAreTheSumOfAll) {
  MetricAccumulator whole, first, second;
  whole.add(std::vector<float>{2, 4, 30}, std::vector<float>{4, 4, 20});
  first.add(std::vector<float>{2}, std::vector<float>{4});
  second.add(std::vector<float>{4, 30}, std::vector<float>{4, 20});
  first.add(second);
  EXPECT_EQ(first.pixels(), 3u);
  DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*metric) {
    EXPECT_NEAR(first.metrics().*metric, whole.metrics().*metric, 1e-12) << name;
  });
}

TEST(LowerIsBetter, HoldsForAllButTheShares) {
  EXPECT_TRUE(lower_is_better("abs_rel"));
  EXPECT_FALSE(lower_is_better("d1"));
  EXPECT_THAT([] { lower_is_better("abs_rell"); },
              ThrowsMessage<Error>(HasSubstr("did you mean abs_rel?")));
}

TEST(MetricValue, IsTheFieldOfThatName) {
  DepthMetrics metrics;
  metrics.rmse = 4.5;
  EXPECT_EQ(metric_value(metrics, "rmse"), 4.5);
}

}  // namespace
}  // namespace dualdepth
