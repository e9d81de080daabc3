#include "dualdepth/metrics/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

EvaluationResult with_abs_rel(const std::vector<double>& values) {
  EvaluationResult result;
  result.protocol = "ncdb";
  for (const double value : values) {
    const std::string id = "lot/" + std::to_string(result.samples.size());
    result.samples.emplace_back().id = id;
    result.samples.back().metrics.abs_rel = value;
  }
  return result;
}

// Pictures differ by 0.5, the models by 0.01 or 0.03 each: half of each over 400 pictures has mean
// 0.02, standard deviation 0.01 and so the interval 0.02 -+ 1.96 * 0.01 / 20.
TEST(PairedDeltas, TakeOutWhatMakesPicturesHard) {
  std::vector<double> first, other;
  for (int i = 0; i < 400; ++i) {
    first.push_back(i % 3 == 0 ? 0.6 : 0.1);
    other.push_back(first.back() + (i % 2 == 0 ? 0.01 : 0.03));
  }
  const MetricDelta delta =
      paired_deltas(with_abs_rel(first), with_abs_rel(other)).of(&DepthMetrics::abs_rel);
  EXPECT_NEAR(delta.mean, 0.02, 1e-12);
  EXPECT_NEAR(delta.low, 0.02 - 0.00098, 1.5e-4);
  EXPECT_NEAR(delta.high, 0.02 + 0.00098, 1.5e-4);
  EXPECT_TRUE(delta.is_significant());
}

TEST(PairedDeltas, NoDifferenceIsNotSignificant) {
  const EvaluationResult same = with_abs_rel({0.1, 0.2, 0.3});
  EXPECT_FALSE(paired_deltas(same, same).of(&DepthMetrics::abs_rel).is_significant());
}

TEST(PairedDeltas, OtherPicturesAreRefused) {
  EvaluationResult other = with_abs_rel({0.1, 0.2});
  EXPECT_THAT([&] { paired_deltas(with_abs_rel({0.1}), other); },
              ThrowsMessage<Error>(HasSubstr("expected 1 pictures, got 2")));
  other.samples[1].id = "street/1";
  EXPECT_THAT(
      [&] {
        paired_deltas(with_abs_rel({0.1, 0.2}), other);
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("lot/1"), HasSubstr("street/1"))));
}

TEST(PairedDeltas, AnotherProtocolIsRefused) {
  EvaluationResult other = with_abs_rel({0.1});
  other.protocol = "eigen-crop";
  EXPECT_THAT([&] { paired_deltas(with_abs_rel({0.1}), other); },
              ThrowsMessage<Error>(AllOf(HasSubstr("ncdb"), HasSubstr("eigen-crop"))));
}

TEST(PairedDeltas, OnePictureGivesAnIntervalOfItsOwnDifference) {
  const MetricDelta delta =
      paired_deltas(with_abs_rel({0.1}), with_abs_rel({0.3})).of(&DepthMetrics::abs_rel);
  EXPECT_NEAR(delta.mean, 0.2, 1e-12);
  EXPECT_NEAR(delta.low, 0.2, 1e-12);
  EXPECT_NEAR(delta.high, 0.2, 1e-12);
}

TEST(MostWorsened, RanksPicturesByWhatTheyLost) {
  const auto first = with_abs_rel({0.1, 0.5, 0.2, 0.3});
  const auto other = with_abs_rel({0.2, 0.5, 0.5, 0.1});
  EXPECT_THAT(most_worsened(first, other, 2), ElementsAre(2, 0));
  EXPECT_THAT(most_worsened(first, other, 9), ElementsAre(2, 0, 1, 3));
}

}  // namespace
}  // namespace dualdepth
