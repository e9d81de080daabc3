#include "dualdepth/codec/precision_table.h"

#include <gtest/gtest.h>

#include "dualdepth/codec/depth_codec.h"

namespace dualdepth {
namespace {

CodecOptions options_of(CodecKind codec, double max_depth, Spacing spacing = Spacing::kLinear,
                        int64_t levels = 256, double min_depth = 0.1) {
  return {.codec = codec,
          .spacing = spacing,
          .n_integer_levels = levels,
          .min_depth = min_depth,
          .max_depth = max_depth};
}

// The original method's published table at M = 30 m, K = 256.
TEST(PrecisionTable, HoldsTheOriginalTableAt30Metres) {
  const PrecisionTable table =
      precision_table(options_of(CodecKind::kRounded, 30, Spacing::kLinear, 256, 0.05));
  EXPECT_NEAR(table.level_step, 0.1176, 5e-5);
  EXPECT_NEAR(table.fraction_step, 0.00392, 5e-6);
  EXPECT_EQ(table.codes, 65536);
  ASSERT_EQ(table.levels.size(), 256u);
  EXPECT_NEAR(table.levels[85].centre, 10, 1e-6);
  EXPECT_NEAR(table.levels[170].centre, 20, 1e-5);
  EXPECT_NEAR(table.levels[255].centre, 30, 1e-5);
}

TEST(PrecisionTable, FortyEightLevelsAt15MetresAre312Point5Millimetres) {
  EXPECT_NEAR(
      precision_table(options_of(CodecKind::kStep, 15, Spacing::kLinear, 48, 1e-3)).level_step,
      0.3125, 5e-5);
}

// (M - m)/K/510.
TEST(PrecisionTable, ReflectedLinearRoundTripErrsByHalfAFractionCode) {
  for (const CodecKind kind : {CodecKind::kReflected, CodecKind::kStep}) {
    const PrecisionTable near = precision_table(options_of(kind, 15));
    EXPECT_NEAR(near.worst_round_trip, 14.9 / 256 / 510, 1e-9);
    EXPECT_LT(near.worst_round_trip, 0.12e-3);
    const PrecisionTable far = precision_table(options_of(kind, 80));
    EXPECT_NEAR(far.worst_round_trip, 79.9 / 256 / 510, 1e-9);
    EXPECT_NEAR(far.worst_round_trip, 0.61e-3, 0.005e-3);
  }
}

// From precision_golden.py: NumPy in double.
TEST(PrecisionTable, WorstRoundTripsAgreeWithNumPy) {
  const auto expect_worst = [](const CodecOptions& options, double golden) {
    EXPECT_NEAR(precision_table(options).worst_round_trip, golden, 1e-5 * golden);
  };
  using enum CodecKind;
  expect_worst(options_of(kRounded, 30), 5.88235e-2);
  expect_worst(options_of(kRounded, 80), 1.56863e-1);
  expect_worst(options_of(kRounded, 15, Spacing::kLinear, 48), 1.59574e-1);
  expect_worst(options_of(kContinuous, 15, Spacing::kLinear, 48), 1.88360e-1);
  expect_worst(options_of(kStep, 15, Spacing::kLinear, 48), 6.08660e-4);
  expect_worst(options_of(kReflected, 15), 1.14124e-4);
  expect_worst(options_of(kReflected, 80), 6.11979e-4);
  expect_worst(options_of(kReflected, 80, Spacing::kLog, 256, 1), 2.68502e-3);
  expect_worst(options_of(kReflected, 15, Spacing::kLog, 255, 0.5), 3.92290e-4);
  expect_worst(options_of(kReflected, 80, Spacing::kInverse, 256, 1), 4.83776e-2);
  expect_worst(options_of(kStep, 15, Spacing::kInverse, 64, 0.5), 1.33154e-2);
}

// By hand: centres lie 30/255 m apart and a level reaches half of that to both sides. Level 0 ends
// at 0.0588 m, below min_depth. The half of the residuals that a sigmoid cannot say costs most at
// the near end of a level, first of level 2, as level 1 begins at min_depth.
TEST(PrecisionTable, OfRoundedLeavesOutLevelsBelowTheNearestDepth) {
  const PrecisionTable table = precision_table(options_of(CodecKind::kRounded, 30));
  constexpr double kStep = 30.0 / 255;
  ASSERT_EQ(table.levels.size(), 255u);
  EXPECT_EQ(table.levels[0].level, 1);
  EXPECT_NEAR(table.levels[0].from, 0.1, 1e-6);
  EXPECT_NEAR(table.levels[0].centre, kStep, 1e-6);
  EXPECT_NEAR(table.levels[0].to, 1.5 * kStep, 1e-6);
  EXPECT_NEAR(table.levels[1].worst_round_trip, kStep / 2, 1e-6);
  EXPECT_NEAR(table.levels.back().from, 254.5 * kStep, 1e-4);
  EXPECT_NEAR(table.levels.back().to, 30, 1e-6);
  EXPECT_NEAR(table.worst_depth, 1.5 * kStep, 1e-5);
  EXPECT_EQ(table.codes, 65536);
}

// By hand: level k reaches from m + k w to m + (k + 1) w with w = 79.9 / 256; fraction codes lie
// w / 255 apart, and a depth halfway between two of them is w / 510 off.
TEST(PrecisionTable, OfReflectedDividesTheRangeIntoEqualLevels) {
  const PrecisionTable table = precision_table(options_of(CodecKind::kReflected, 80));
  constexpr double kWidth = 79.9 / 256;
  ASSERT_EQ(table.levels.size(), 256u);
  for (const int64_t level : {0, 1, 100, 255}) {
    const LevelPrecision& precision = table.levels[static_cast<size_t>(level)];
    const auto k = static_cast<double>(level);
    EXPECT_EQ(precision.level, level);
    EXPECT_NEAR(precision.from, 0.1 + k * kWidth, 1e-4);
    EXPECT_NEAR(precision.centre, 0.1 + (k + 0.5) * kWidth, 1e-4);
    EXPECT_NEAR(precision.to, 0.1 + (k + 1) * kWidth, 1e-4);
    EXPECT_NEAR(precision.step(), kWidth, 1e-4);
    EXPECT_NEAR(precision.fraction_step, kWidth / 255, 1e-6);
    EXPECT_NEAR(precision.worst_round_trip, kWidth / 510, 1e-7);
  }
  EXPECT_NEAR(table.level_step, kWidth, 1e-6);
  EXPECT_NEAR(table.fraction_step, kWidth / 255, 1e-6);
}

// Weakness 1 of the original: a sigmoid cannot say negative residuals.
TEST(ReflectedCodec, SaysTheHalfOfResidualsThatRoundedLoses) {
  EXPECT_NEAR(precision_table(options_of(CodecKind::kRounded, 30)).worst_round_trip, 0.059, 5e-4);
  EXPECT_NEAR(precision_table(options_of(CodecKind::kRounded, 80)).worst_round_trip, 0.157, 5e-4);
  EXPECT_LT(precision_table(options_of(CodecKind::kReflected, 30)).worst_round_trip, 0.24e-3);
  EXPECT_LT(precision_table(options_of(CodecKind::kReflected, 80)).worst_round_trip, 0.62e-3);
}

// Weakness 2: the fraction in metres uses only M/(K-1) of its 1 m.
TEST(ReflectedCodec, UsesAllFractionCodesWhereRoundedUses30) {
  EXPECT_NEAR(precision_table(options_of(CodecKind::kRounded, 30)).fraction_codes_used, 30, 1e-9);
  EXPECT_NEAR(precision_table(options_of(CodecKind::kReflected, 30)).fraction_codes_used, 255,
              1e-9);
}

// Weakness 3: at a boundary the fraction jumps, so a wrong level costs a whole step. The fraction
// here is 0.02 levels from the boundary of levels 99 and 100, and the level flips.
TEST(ReflectedCodec, LevelThatFlipsAtItsBoundaryCostsAlmostNothing) {
  const double step_metres = 29.9 / 256;
  const auto depth = torch::tensor({0.1 + 100.02 * step_metres}, torch::kFloat64);
  const auto error_of_flip = [&](CodecKind kind, int64_t wrong_level) {
    const DepthCodec codec(options_of(kind, 30));
    const CodecTargets targets = codec.encode(depth);
    const auto decoded = codec.decode(torch::tensor({wrong_level}), targets.fraction);
    return (decoded - depth).abs().item<double>();
  };
  EXPECT_NEAR(error_of_flip(CodecKind::kReflected, 99), 0.04 * step_metres, 1e-9);
  EXPECT_NEAR(error_of_flip(CodecKind::kStep, 99), step_metres, 1e-9);
  const DepthCodec rounded(options_of(CodecKind::kRounded, 30));
  const auto level = rounded.encode(depth).level.item<int64_t>();
  EXPECT_NEAR(error_of_flip(CodecKind::kRounded, level - 1), 30.0 / 255, 1e-9);
}

}  // namespace
}  // namespace dualdepth
