#include "dualdepth/runtime/head_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Four levels of 2 m from 1 to 9 m.
CodecOptions four_levels() {
  CodecOptions codec;
  codec.codec = CodecKind::kStep;
  codec.n_integer_levels = 4;
  codec.min_depth = 1;
  codec.max_depth = 9;
  return codec;
}

// Levels 0, 1, 3, 3 and fractions 0.5, 0.25, 0, 1: 2, 3.5, 7, 9 m.
Prediction four_pixels() {
  return {.depth = (cv::Mat_<float>(1, 4) << 2, 3.5F, 7, 9),
          .level = (cv::Mat_<ushort>(1, 4) << 0, 1, 3, 3),
          .fraction = (cv::Mat_<float>(1, 4) << 0.5F, 0.25F, 0, 1),
          .region = {0, 0, 4, 1}};
}

TEST(HeadCheck, CountsLevelsAndFractions) {
  HeadCheck check(four_levels());
  check.add(four_pixels(), cv::Mat::zeros(1, 4, CV_32FC1), {});
  check.add(four_pixels(), cv::Mat::zeros(1, 4, CV_32FC1), {});
  const HeadReport report = check.report();
  EXPECT_EQ(report.pictures, 2u);
  EXPECT_EQ(report.pixels, 8u);
  EXPECT_THAT(report.level_counts, ElementsAre(2, 2, 0, 4));
  EXPECT_DOUBLE_EQ(report.levels_used(), 0.75);
  EXPECT_EQ(report.fraction_counts[0], 2);
  EXPECT_EQ(report.fraction_counts[8], 2);
  EXPECT_EQ(report.fraction_counts[16], 2);
  EXPECT_EQ(report.fraction_counts[31], 2);
  EXPECT_NEAR(report.worst_difference, 0, 1e-6);
  EXPECT_EQ(report.truth_pixels, 0u);
}

// Truth 2.2 (level 0, 0.6), 4.5 (1, 0.75), 6.8 (2, 0.9), none. Both heads: errors 0.2, 1, 0.2.
// True level: 2, 3.5 and level 2 with fraction 0 = 5: 0.2, 1, 1.8. True fraction: level 0 with 0.6,
// level 1 with 0.75 are right, level 3 with 0.9 = 8.8: 0, 0, 2.
TEST(HeadCheck, SharesTheErrorBetweenTheHeads) {
  HeadCheck check(four_levels());
  check.add(four_pixels(), (cv::Mat_<float>(1, 4) << 2.2F, 4.5F, 6.8F, 0), {});
  const HeadReport report = check.report();
  EXPECT_EQ(report.truth_pixels, 3u);
  EXPECT_NEAR(report.both.mae, 1.4 / 3, 1e-6);
  EXPECT_NEAR(report.both.abs_rel, (0.2 / 2.2 + 1 / 4.5 + 0.2 / 6.8) / 3, 1e-6);
  EXPECT_NEAR(report.with_true_level.mae, 3.0 / 3, 1e-6);
  EXPECT_NEAR(report.with_true_fraction.mae, 2.0 / 3, 1e-6);
  EXPECT_THAT(report.level_distances, ElementsAre(2, 1, 0, 0));
}

// 6.8 m lies 0.9 of the way through its level, where the prediction is one level off.
TEST(HeadCheck, TellsWhatHappensAtTheEndsOfLevels) {
  HeadCheck check(four_levels());
  check.add(four_pixels(), (cv::Mat_<float>(1, 4) << 2.2F, 4.5F, 6.84F, 0), {});
  const HeadReport report = check.report();
  EXPECT_EQ(report.places[9].pixels, 1u);
  EXPECT_EQ(report.places[9].right, 0);
  EXPECT_EQ(report.places[9].off_by_one, 1);
  EXPECT_NEAR(report.places[9].mae, 0.16, 1e-5);
  EXPECT_EQ(report.places[7].pixels, 1u);
  EXPECT_EQ(report.places[7].right, 1);
  EXPECT_NEAR(report.places[7].mae, 1, 1e-6);
}

TEST(HeadCheck, MaskAndRangeLeavePixelsOut) {
  HeadCheck check(four_levels());
  const cv::Mat mask = (cv::Mat_<uchar>(1, 4) << 1, 0, 1, 1);
  check.add(four_pixels(), (cv::Mat_<float>(1, 4) << 0.5F, 4.5F, 6.8F, 9.5F), mask);
  EXPECT_EQ(check.report().truth_pixels, 1u);
}

TEST(HeadCheck, DepthThatIsNotWhatTheHeadsSayIsMeasured) {
  HeadCheck check(four_levels());
  Prediction prediction = four_pixels();
  prediction.depth.at<float>(0, 2) = 7.25F;
  check.add(prediction, cv::Mat::zeros(1, 4, CV_32FC1), {});
  EXPECT_NEAR(check.report().worst_difference, 0.25, 1e-6);
}

TEST(HeadCheck, RefusesACodecWithoutLevelsAndAModelWithoutHeads) {
  CodecOptions continuous;
  continuous.codec = CodecKind::kContinuous;
  EXPECT_THAT([&] { HeadCheck check(continuous); },
              ThrowsMessage<Error>(HasSubstr("expected a codec with levels, got continuous")));
  HeadCheck check(four_levels());
  Prediction depth_alone = four_pixels();
  depth_alone.level = cv::Mat();
  EXPECT_THAT([&] { check.add(depth_alone, cv::Mat::zeros(1, 4, CV_32FC1), {}); },
              ThrowsMessage<Error>(HasSubstr("got depth alone")));
}

}  // namespace
}  // namespace dualdepth
