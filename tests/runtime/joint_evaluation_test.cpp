#include "dualdepth/runtime/joint_evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"
#include "testing/flat_dataset.h"

namespace dualdepth {
namespace {

using testing::FlatDataset;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr int kHeight = 100;
constexpr int kWidth = 200;

DepthSource flat(double depth, cv::Size size = {kWidth, kHeight}) {
  return [=](size_t, const Sample&) { return cv::Mat(size, CV_32FC1, cv::Scalar(depth)); };
}

// The first picture at 10 m, each further one `more` metres further away.
DepthSource rising(double more) {
  return [=](size_t index, const Sample&) {
    return cv::Mat(kHeight, kWidth, CV_32FC1, cv::Scalar(10 + more * static_cast<double>(index)));
  };
}

// More pictures than one block: 20. The second model errs by 0, 0.5, ... 9.5 m against the truth of
// 10 m, on average by 4.75 m; from the first model, 8 m everywhere, it lies 2 m more.
TEST(EvaluateJointly, EachModelHasItsMetricsAndItsDifferenceFromTheFirst) {
  const std::vector<DepthSource> models{flat(8), rising(0.5)};
  const auto results = evaluate_jointly(models, FlatDataset(20), {.protocol = "eigen-annotated"});
  ASSERT_EQ(results.size(), 2U);
  EXPECT_NEAR(results[0].result.summary.abs_rel, 0.2, 1e-6);
  EXPECT_NEAR(results[1].result.summary.abs_rel, 0.475, 1e-6);
  EXPECT_EQ(results[1].result.samples[19].id, "flat/19");
  // All pixels of the picture, not only those inside Garg's crop.
  EXPECT_EQ(results[1].to_first.pixels, 20U * kHeight * kWidth);
  EXPECT_NEAR(results[1].to_first.mean_mm, 2000 + 4750, 1e-3);
  EXPECT_EQ(results[1].to_first.within_1_25, 0);  // 10 / 8 is 1.25, all others more
  EXPECT_EQ(results[0].to_first.mean_mm, 0);
  EXPECT_EQ(results[0].to_first.within_1_05, 1);
}

TEST(EvaluateJointly, DepthOfAnotherSizeIsResizedToTheFirstOnes) {
  const std::vector<DepthSource> models{flat(10), flat(10.25, {50, 25})};
  const auto results = evaluate_jointly(models, FlatDataset(1), {.protocol = "eigen-annotated"});
  EXPECT_EQ(results[1].to_first.pixels, size_t{kHeight} * kWidth);
  EXPECT_EQ(results[1].to_first.median_mm, 250);
  EXPECT_EQ(results[1].to_first.within_1_05, 1);
}

TEST(EvaluateJointly, ReportsProgressOfEachModelAfterEachBlock) {
  std::vector<std::pair<size_t, size_t>> seen;
  evaluate_jointly(std::vector<DepthSource>{flat(10), flat(10)}, FlatDataset(17),
                   {.protocol = "eigen-annotated"},
                   [&](size_t model, size_t pictures) { seen.emplace_back(model, pictures); });
  using Pair = std::pair<size_t, size_t>;
  EXPECT_THAT(seen, ::testing::ElementsAre(Pair{0, 16}, Pair{1, 16}, Pair{0, 17}, Pair{1, 17}));
}

TEST(EvaluateJointly, ASampleWithoutGroundTruthIsNamed) {
  EXPECT_THAT(
      [] {
        evaluate_jointly(std::vector<DepthSource>{flat(10)}, FlatDataset(1, false),
                         {.protocol = "eigen-annotated"});
      },
      ThrowsMessage<Error>(HasSubstr("flat/0")));
}

}  // namespace
}  // namespace dualdepth
