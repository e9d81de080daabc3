#include "dualdepth/train/schedule.h"

#include <gtest/gtest.h>

#include <vector>

namespace dualdepth {
namespace {

ScheduleOptions options_of(ScheduleKind type) {
  ScheduleOptions options;
  options.type = type;
  return options;
}

constexpr RunLength kTenSteps{.total_steps = 10, .steps_per_epoch = 2};

TEST(LearningRate, ConstantStaysAtThePeak) {
  const ScheduleOptions options = options_of(ScheduleKind::kConstant);
  for (const int64_t step : {0, 5, 9}) EXPECT_EQ(learning_rate_scale(options, kTenSteps, step), 1);
}

TEST(LearningRate, WarmupRisesInEqualSteps) {
  ScheduleOptions options = options_of(ScheduleKind::kConstant);
  options.warmup_steps = 4;
  const std::vector<double> expected = {0.25, 0.5, 0.75, 1, 1};
  for (size_t step = 0; step < expected.size(); ++step) {
    EXPECT_DOUBLE_EQ(learning_rate_scale(options, kTenSteps, static_cast<int64_t>(step)),
                     expected[step]);
  }
}

TEST(LearningRate, StepFallsAtItsMilestonesInEpochs) {
  ScheduleOptions options = options_of(ScheduleKind::kStep);
  options.milestones = {2, 3};
  options.gamma = 0.5;
  const std::vector<double> expected = {1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25};
  for (size_t step = 0; step < expected.size(); ++step) {
    EXPECT_DOUBLE_EQ(learning_rate_scale(options, kTenSteps, static_cast<int64_t>(step)),
                     expected[step]);
  }
}

// By hand: f + (1 - f) (1 + cos(pi (step - 2) / 8)) / 2 with f = 0.01 after two steps of warm-up.
TEST(LearningRate, CosineFallsFromThePeakToItsShare) {
  ScheduleOptions options = options_of(ScheduleKind::kCosine);
  options.warmup_steps = 2;
  options.final_scale = 0.01;
  const std::vector<std::pair<int64_t, double>> expected = {
      {0, 0.5}, {1, 1}, {2, 1}, {6, 0.505}, {9, 0.047679631406913066}, {10, 0.01}};
  for (const auto& [step, scale] : expected) {
    EXPECT_NEAR(learning_rate_scale(options, kTenSteps, step), scale, 1e-12) << step;
  }
}

// By hand: 0.1 + 0.9 (1 - step / 10)^0.9.
TEST(LearningRate, PolynomialFallsToItsShare) {
  ScheduleOptions options = options_of(ScheduleKind::kPolynomial);
  options.final_scale = 0.1;
  const std::vector<std::pair<int64_t, double>> expected = {
      {0, 1}, {5, 0.582298058141332}, {9, 0.21330328706147506}, {10, 0.1}};
  for (const auto& [step, scale] : expected) {
    EXPECT_NEAR(learning_rate_scale(options, kTenSteps, step), scale, 1e-12) << step;
  }
}

// torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=10, pct_start=0.3,
// final_div_factor=40).
TEST(LearningRate, OneCycleHasTheNumbersOfTorch) {
  ScheduleOptions options = options_of(ScheduleKind::kOneCycle);
  options.warmup_share = 0.3;
  options.final_scale = 1e-3;
  const std::vector<double> expected = {0.04,
                                        0.52,
                                        1.0,
                                        0.9505339495172583,
                                        0.8119331560284374,
                                        0.611649206511179,
                                        0.389350793488821,
                                        0.18906684397156262,
                                        0.05046605048274169,
                                        0.001};
  for (size_t step = 0; step < expected.size(); ++step) {
    EXPECT_NEAR(learning_rate_scale(options, kTenSteps, static_cast<int64_t>(step)), expected[step],
                1e-12)
        << step;
  }
}

TEST(LearningRate, IsDefinedForTheShortestRun) {
  for (const auto& [type, name] : EnumNames<ScheduleKind>::values) {
    const double scale = learning_rate_scale(options_of(type), {1, 1}, 0);
    EXPECT_GT(scale, 0) << name;
    EXPECT_LE(scale, 1) << name;
  }
}

}  // namespace
}  // namespace dualdepth
