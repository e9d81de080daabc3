#include "dualdepth/metrics/evaluation_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

cv::Mat constant(float value, int width) { return cv::Mat(1, width, CV_32FC1, cv::Scalar(value)); }

Evaluation benchmark(ScalingKind scaling = ScalingKind::kNone) {
  return {find_protocol("benchmark"), scaling};
}

// One pixel that is wrong by half and three that are right: the mean over pictures is (.5 + 0) / 2,
// over pixels .5 / 4.
TEST(Evaluation, SummaryIsTheMeanOverPicturesAndPooledOverPixels) {
  Evaluation evaluation = benchmark();
  evaluation.add("a", constant(6, 1), constant(4, 1));
  evaluation.add("b", constant(9, 3), constant(9, 3));
  const EvaluationResult result = evaluation.result();
  EXPECT_EQ(result.protocol, "benchmark");
  EXPECT_EQ(result.num_samples(), 2u);
  EXPECT_EQ(result.pixels, 4u);
  EXPECT_DOUBLE_EQ(result.summary.abs_rel, 0.25);
  EXPECT_DOUBLE_EQ(result.pooled.abs_rel, 0.125);
  EXPECT_EQ(result.samples[0].id, "a");
  EXPECT_DOUBLE_EQ(result.samples[0].metrics.abs_rel, 0.5);
  EXPECT_EQ(result.samples[1].pixels, 3u);
}

TEST(Evaluation, PicturesWithoutAPixelAreNamedAndCountForNothingElse) {
  Evaluation evaluation = benchmark();
  evaluation.add("a", constant(6, 1), constant(4, 1));
  evaluation.add("empty", constant(6, 1), constant(0, 1));
  const EvaluationResult result = evaluation.result();
  EXPECT_THAT(result.samples_without_pixels, ElementsAre("empty"));
  EXPECT_EQ(result.num_samples(), 1u);
  EXPECT_DOUBLE_EQ(result.summary.abs_rel, 0.5);
}

TEST(Evaluation, DataSetWithoutAnyPixelIsAnError) {
  Evaluation evaluation = benchmark();
  evaluation.add("empty", constant(6, 1), constant(0, 1));
  EXPECT_THAT([&] { evaluation.result(); },
              ThrowsMessage<Error>(AllOf(HasSubstr("evaluation under benchmark"),
                                         HasSubstr("got none in 1 pictures"))));
}

TEST(Evaluation, FaultOfOnePictureNamesIt) {
  Evaluation evaluation(find_protocol("eigen-kb-garg"), ScalingKind::kNone);
  EXPECT_THAT([&] { evaluation.add("drive/7", constant(6, 1), constant(4, 1)); },
              ThrowsMessage<Error>(HasSubstr("drive/7: KB crop")));
}

TEST(Evaluation, MedianScalingIsPerPictureAndReported) {
  Evaluation evaluation = benchmark(ScalingKind::kMedian);
  evaluation.add("a", constant(6, 1), constant(3, 1));
  evaluation.add("b", constant(1, 2), constant(4, 2));
  const EvaluationResult result = evaluation.result();
  EXPECT_EQ(result.scaling, ScalingKind::kMedian);
  EXPECT_DOUBLE_EQ(result.samples[0].scale, 0.5);
  EXPECT_DOUBLE_EQ(result.samples[1].scale, 4);
  EXPECT_NEAR(result.summary.abs_rel, 0, 1e-7);
}

// For 400 values with standard deviation s the mean has s / 20: half of 0, half of 1 give s = 1/2
// and the interval 0.5 -+ 1.96 / 40.
TEST(BootstrapIntervals, AreThoseOfTheNormalDistributionForManyPictures) {
  std::vector<SampleMetrics> samples(400);
  for (size_t i = 0; i < samples.size(); ++i) samples[i].metrics.rmse = static_cast<double>(i % 2);
  const MetricIntervals intervals = bootstrap_intervals(samples, /*seed=*/7);
  EXPECT_NEAR(intervals.low.rmse, 0.5 - 0.049, 0.006);
  EXPECT_NEAR(intervals.high.rmse, 0.5 + 0.049, 0.006);
  EXPECT_EQ(intervals.low.abs_rel, 0);
  const MetricIntervals again = bootstrap_intervals(samples, /*seed=*/7);
  EXPECT_EQ(again.low.rmse, intervals.low.rmse);
}

}  // namespace
}  // namespace dualdepth
