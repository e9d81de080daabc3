#include "dualdepth/metrics/evaluation_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <numeric>

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

// Truth 0.5 does not count (strict), 1 begins the bin 1-3, 15 does not count.
TEST(Evaluation, BinsPoolPixelsByTruthWithTheirLowerEdge) {
  Evaluation evaluation(find_protocol("ncdb"), ScalingKind::kNone);
  evaluation.add("a", (cv::Mat_<float>(1, 6) << 1, 0.9, 1.5, 2.2, 4, 20),
                 (cv::Mat_<float>(1, 6) << 0.5, 0.75, 1, 2, 5, 15));
  evaluation.add("b", constant(14, 1), constant(10, 1));
  const auto bins = evaluation.result().bins;
  ASSERT_EQ(bins.size(), 4u);
  EXPECT_EQ(bins[0].name, "0.5-1");
  EXPECT_EQ(bins[0].pixels, 1u);
  EXPECT_NEAR(bins[0].metrics.abs_rel, 0.2, 1e-6);
  EXPECT_EQ(bins[1].name, "1-3");
  EXPECT_EQ(bins[1].pixels, 2u);
  EXPECT_NEAR(bins[1].metrics.abs_rel, (0.5 + 0.1) / 2, 1e-6);
  EXPECT_EQ(bins[2].pixels, 0u);
  EXPECT_EQ(bins[3].name, "5-15");
  EXPECT_EQ(bins[3].pixels, 2u);
  EXPECT_NEAR(bins[3].metrics.abs_rel, (0.2 + 0.4) / 2, 1e-6);
}

TEST(Evaluation, NonFinitePredictionsAddUpOverPictures) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  Evaluation evaluation = benchmark();
  evaluation.add("a", (cv::Mat_<float>(1, 3) << kNan, 4, kInf), constant(4, 3));
  evaluation.add("b", (cv::Mat_<float>(1, 3) << 9, kNan, kNan),
                 (cv::Mat_<float>(1, 3) << 9, 9, 0));  // the last has no ground truth
  EXPECT_EQ(evaluation.result().non_finite_predictions, 3u);
}

TEST(Evaluation, DistributionHoldsThePixelsOfAllPictures) {
  Evaluation evaluation = benchmark();
  evaluation.add("a", constant(5, 4), constant(4, 4));
  evaluation.add("b", constant(9, 7), constant(9, 7));
  const auto distribution = evaluation.result().distribution;
  ASSERT_TRUE(distribution);
  const auto& counts = distribution->counts();
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), int64_t{0}), 11);
}

TEST(Evaluation, BinsAndClassesLeaveOutWhatTheMaskLeavesOut) {
  Evaluation evaluation(find_protocol("ncdb"), ScalingKind::kNone);
  const cv::Mat valid = (cv::Mat_<uchar>(1, 4) << 255, 0, 255, 0);
  const std::vector<ClassInstance> instances{{"car", cv::Mat(1, 4, CV_8UC1, cv::Scalar(1))}};
  evaluation.add("a", (cv::Mat_<float>(1, 4) << 3, 200, 2, 9), constant(2, 4), valid, instances);
  const EvaluationResult result = evaluation.result();
  EXPECT_EQ(result.bins[1].pixels, 2u);  // 1 to 3 m
  EXPECT_NEAR(result.bins[1].metrics.abs_rel, 0.25, 1e-6);
  ASSERT_EQ(result.classes.size(), 1u);
  EXPECT_EQ(result.classes[0].pixels, 2u);
  EXPECT_NEAR(result.classes[0].metrics.abs_rel, 0.25, 1e-6);
}

TEST(Evaluation, ClassesPoolTheirInstancesAndCountOverlapOnce) {
  Evaluation evaluation(find_protocol("ncdb"), ScalingKind::kNone);
  const cv::Mat left = (cv::Mat_<uchar>(1, 4) << 1, 1, 0, 0);
  const cv::Mat middle = (cv::Mat_<uchar>(1, 4) << 0, 255, 1, 0);
  const cv::Mat nowhere = cv::Mat::zeros(1, 4, CV_8UC1);
  const std::vector<ClassInstance> instances{
      {"car", left}, {"car", middle}, {"pillar", left}, {"car", nowhere}};
  const cv::Mat prediction = (cv::Mat_<float>(1, 4) << 3, 2, 2, 9);
  evaluation.add("a", prediction, constant(2, 4), {}, instances);
  const auto classes = evaluation.result().classes;
  ASSERT_EQ(classes.size(), 2u);
  EXPECT_EQ(classes[0].name, "car");
  EXPECT_EQ(classes[0].instances, 2u) << "the third is not seen";
  EXPECT_EQ(classes[0].pixels, 3u);
  EXPECT_NEAR(classes[0].metrics.abs_rel, 0.5 / 3, 1e-6);
  EXPECT_EQ(classes[1].name, "pillar");
  EXPECT_EQ(classes[1].pixels, 2u);
  EXPECT_NEAR(classes[1].metrics.abs_rel, 0.25, 1e-6);
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
