#include "dualdepth/report/evaluation_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace dualdepth {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Two pictures with errors of 1 and 3 m at 10 m, a third without a pixel inside the crop.
EvaluationResult two_pictures() {
  Evaluation evaluation(find_protocol("eigen-annotated"), ScalingKind::kNone);
  const cv::Mat truth(100, 200, CV_32FC1, cv::Scalar(10));
  evaluation.add("drive/a", cv::Mat(100, 200, CV_32FC1, cv::Scalar(11)), truth);
  evaluation.add("drive/b,\"c\"", cv::Mat(100, 200, CV_32FC1, cv::Scalar(13)), truth);
  evaluation.add("drive/empty", truth, cv::Mat::zeros(100, 200, CV_32FC1));
  return evaluation.result();
}

TEST(EvaluationJson, HasTheKeysThatScriptsRead) {
  const auto json = evaluation_json(two_pictures(), {{"flip", false}});
  EXPECT_EQ(json.at("protocol"), "eigen-annotated");
  EXPECT_NEAR(json.at("summary").at("abs_rel").get<double>(), 0.2, 1e-6);
  EXPECT_NEAR(json.at("pooled").at("rmse").get<double>(), std::sqrt(5.0), 1e-5);
  EXPECT_EQ(json.at("num_samples"), 2);
  ASSERT_EQ(json.at("per_sample").size(), 2u);
  EXPECT_EQ(json.at("per_sample")[0].at("id"), "drive/a");
  EXPECT_NEAR(json.at("per_sample")[1].at("mae").get<double>(), 3.0, 1e-5);
  EXPECT_EQ(json.at("samples_without_pixels"), nlohmann::json::array({"drive/empty"}));
  EXPECT_EQ(json.at("config").at("flip"), false);
}

TEST(EvaluationJson, LeavesOutWhatIsNotANumber) {
  auto result = two_pictures();
  result.summary.silog = std::numeric_limits<double>::quiet_NaN();
  result.samples[0].metrics.irmse = std::numeric_limits<double>::infinity();
  const auto json = evaluation_json(result, {});
  EXPECT_FALSE(json.at("summary").contains("silog"));
  EXPECT_FALSE(json.at("per_sample")[0].contains("irmse"));
  EXPECT_TRUE(json.at("per_sample")[1].contains("irmse"));
  EXPECT_THAT(json.at("summary").dump() + json.at("per_sample").dump(), Not(HasSubstr("null")));
}

TEST(EvaluationTable, NamesProtocolMetricsAndEmptyPictures) {
  const std::string table = evaluation_table(two_pictures());
  EXPECT_THAT(table, HasSubstr("protocol eigen-annotated, scaling none: 2 pictures"));
  EXPECT_THAT(table, HasSubstr("abs_rel           0.2000     0.1000 .. 0.3000     0.2000\n"));
  EXPECT_THAT(table, HasSubstr("1 pictures have no pixel that counts:\n  drive/empty\n"));
}

TEST(EvaluationCsv, HasARowForEachPictureAndQuotesIds) {
  const std::string csv = evaluation_csv(two_pictures());
  EXPECT_THAT(csv, ::testing::StartsWith("id,abs_rel,sq_rel,rmse,"));
  // Garg of 100x200 counts 59 x 185 pixels.
  EXPECT_THAT(csv, HasSubstr(",10915,1\n"));
  EXPECT_THAT(csv, HasSubstr("\n\"drive/b,\"\"c\"\"\","));
  EXPECT_EQ(std::ranges::count(csv, '\n'), 3);
}

}  // namespace
}  // namespace dualdepth
