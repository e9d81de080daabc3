#include "dualdepth/study/promised_precision.h"

#include <gtest/gtest.h>

namespace dualdepth::study {
namespace {

const std::vector<RangeBin> kBins{{0.5, 1}, {1, 3}, {3, 5}, {5, 15}, {15, 80}};

// By hand: 256 linear levels over 15 m less 0.1 m are 58.2 mm each; in 8 bits the worst round trip
// is (M - m) / K / 510.
TEST(PromisedPrecision, OfLinearLevelsIsTheSameInEachRange) {
  ModelOptions model;
  model.params.codec = {.min_depth = 0.1, .max_depth = 15};
  const auto promised = promised_precision(model, kBins);
  ASSERT_EQ(promised.size(), 4U);  // it ends at 15 m
  for (const auto& row : promised) {
    EXPECT_NEAR(row.level_step, 14.9 / 256, 1e-6) << row.name;
    EXPECT_NEAR(row.worst_round_trip, 14.9 / 256 / 510, 1e-6) << row.name;
  }
  EXPECT_EQ(promised[3].name, "5-15");
}

// By hand: each of 256 logarithmic levels from 0.1 m to 15 m is 150^(1/256) - 1 = 1.9766 % wide, so
// that the last level below 1 m is at most 19.77 mm and the last one of all 15 (1 - 150^(-1/256)) =
// 290.7 mm.
TEST(PromisedPrecision, OfLogarithmicLevelsGrowsWithDepth) {
  ModelOptions model;
  model.params.codec = {.spacing = Spacing::kLog, .min_depth = 0.1, .max_depth = 15};
  const auto promised = promised_precision(model, kBins);
  ASSERT_EQ(promised.size(), 4U);
  EXPECT_NEAR(promised[0].level_step, 0.0197, 0.0005);
  EXPECT_NEAR(promised[3].level_step, 0.2907, 0.0002);
}

// By hand: a byte for 0.1 to 80 m has steps of 79.9 / 255 = 313.3 mm.
TEST(PromisedPrecision, OfOneSigmoidIsAByteOverTheWholeRange) {
  ModelOptions model;
  model.params.use_dual_head = false;
  const auto promised = promised_precision(model, kBins);
  ASSERT_EQ(promised.size(), 5U);
  EXPECT_NEAR(promised[4].level_step, 0.31333, 1e-5);
  EXPECT_NEAR(promised[4].worst_round_trip, 0.15667, 1e-5);
}

// By hand: 16 groups of 16 thresholds, whose sums have codes of 16 / 255 level; a level is 14.9 m /
// 256 = 58.2 mm, half a code 1.826 mm.
TEST(PromisedPrecision, OfThresholdsIsThatOfTheirGroupSums) {
  ModelOptions model;
  model.head.kind = HeadKind::kCumulative;
  model.params.codec = {.min_depth = 0.1, .max_depth = 15};
  const auto promised = promised_precision(model, kBins);
  ASSERT_EQ(promised.size(), 4U);
  EXPECT_NEAR(promised[1].level_step, 0.0582, 1e-5);
  EXPECT_NEAR(promised[1].worst_round_trip, 0.001826, 1e-6);
}

}  // namespace
}  // namespace dualdepth::study
