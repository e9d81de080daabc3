#include "dualdepth/report/evaluation_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

EvaluationResult with_abs_rel(const std::vector<double>& values) {
  EvaluationResult result;
  result.protocol = "eigen-annotated";
  for (const double value : values) {
    SampleMetrics sample;
    sample.id = "drive/" + std::to_string(result.samples.size());
    sample.metrics.abs_rel = value;
    result.samples.push_back(sample);
  }
  return result;
}

TEST(ExtremeSamples, AreTheLowestAndHighestWithoutOverlap) {
  const auto many = extreme_samples(with_abs_rel({.3, .1, .5, .2, .4}), 2);
  EXPECT_THAT(many.best, ElementsAre(1, 3));
  EXPECT_THAT(many.worst, ElementsAre(2, 4));
  const auto few = extreme_samples(with_abs_rel({.3, .1, .2}), 2);
  EXPECT_THAT(few.best, ElementsAre(1, 2));
  EXPECT_THAT(few.worst, ElementsAre(0));
  EXPECT_THAT(extreme_samples(with_abs_rel({.3}), 5).worst, IsEmpty());
}

TEST(EvaluationPage, CarriesAllItShowsAndEscapesWhatComesFromOutside) {
  EvaluationPage page;
  page.title = "a <b> & c";
  page.result = with_abs_rel({.1, .2});
  page.result.samples[1].id = "<script>alert(1)</script>";
  page.config = {{"model", "</pre><script>"}};
  page.extremes = extreme_samples(page.result, 1);
  const SamplePictures pictures{cv::Mat(40, 60, CV_8UC3, cv::Scalar(10, 20, 30)),
                                cv::Mat(40, 60, CV_32FC1, cv::Scalar(10)),
                                cv::Mat(40, 60, CV_32FC1, cv::Scalar(11))};
  page.pictures = {pictures, pictures};
  const std::string html = evaluation_page(page);
  EXPECT_THAT(html, AllOf(HasSubstr("<title>a &lt;b&gt; &amp; c</title>"),
                          HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"),
                          HasSubstr("width=device-width"), HasSubstr("Best pictures"),
                          HasSubstr("Worst pictures"), Not(HasSubstr("<script"))));
  size_t pictures_found = 0;
  for (size_t at = 0; (at = html.find("src=\"", at)) != std::string::npos; ++at) {
    EXPECT_EQ(html.compare(at, 27, "src=\"data:image/jpeg;base64"), 0);
    ++pictures_found;
  }
  EXPECT_EQ(pictures_found, 10u);  // four for each of two pictures, a scale for each section
  EXPECT_THAT(html, AllOf(Not(HasSubstr("href=\"http")), Not(HasSubstr("http:")),
                          Not(HasSubstr("https:"))));
}

// The size of NCDB's test split, with pictures of noise, which JPEG packs worst.
TEST(EvaluationPage, OfSixHundredPicturesStaysBelowFifteenMegabytes) {
  EvaluationPage page;
  std::vector<double> values(634);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.001 * static_cast<double>(i);
  page.result = with_abs_rel(values);
  page.extremes = extreme_samples(page.result);
  SamplePictures noise{cv::Mat(384, 640, CV_8UC3), cv::Mat(384, 640, CV_32FC1),
                       cv::Mat(384, 640, CV_32FC1)};
  cv::randu(noise.rgb, 0, 255);
  cv::randu(noise.truth, 0.5, 15);
  cv::randu(noise.prediction, 0.5, 15);
  page.pictures.assign(10, noise);
  page.max_depth = 15;
  EXPECT_LT(evaluation_page(page).size(), 15'000'000U);
}

}  // namespace
}  // namespace dualdepth
