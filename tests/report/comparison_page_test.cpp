#include "dualdepth/report/comparison_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/comparison_fixture.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
  return count;
}

TEST(ComparisonPage, SaysInASentenceWhatChanged) {
  EXPECT_THAT(comparison_page(testing::comparison_of_two()),
              AllOf(HasSubstr("<b>&lt;int8&gt;</b> differs from it by less than 7.97 mm in half of "
                              "all pixels and by 182 mm on average. 99.25 % of the pixels stay "
                              "within a factor of 1.25 of its depth, 93.00 % within 1.05."),
                    HasSubstr("changes by +0.0200, more than chance explains"),
                    HasSubstr("3 pixels have no depth")));
}

TEST(ComparisonPage, WritesMetresOfDifferenceWithoutAnExponent) {
  Comparison comparison = testing::comparison_of_two();
  comparison.results[1].to_first.median_mm = 327.2;
  comparison.results[1].to_first.mean_mm = 12345.6;
  EXPECT_THAT(comparison_page(comparison),
              HasSubstr("by less than 327 mm in half of all pixels and by 12346 mm on average"));
}

TEST(ComparisonPage, MainTableHasTheDifferenceAndFoldsAllElse) {
  const std::string page = comparison_page(testing::comparison_of_two());
  EXPECT_THAT(page, HasSubstr("<td>0.1700</td><td>4.520</td><td>0.7800</td><td>181.8</td>"
                              "<td>99.25</td><td>-</td><td>14.5</td>"));
  const size_t folded = page.find("<details>");
  ASSERT_NE(folded, std::string::npos);
  EXPECT_GT(page.find("silog"), folded);
  // Mean, median, both shares, pixels, pixels without depth.
  EXPECT_GT(page.find("<td>181.8</td><td>7.97</td><td>99.25</td><td>93.00</td><td>400</td>"
                      "<td>3</td>"),
            folded);
}

// Paths are long: they appear once in the list at the end and nowhere else.
TEST(ComparisonPage, NamesModelsShortAndTheirPathsOnce) {
  const std::string page = comparison_page(testing::comparison_of_two());
  EXPECT_EQ(count_of(page, "runs/a/float.safetensors"), 1U);
  EXPECT_THAT(page, AllOf(HasSubstr("<b>&lt;int8&gt;</b>: out/&lt;int8&gt;.onnx"),
                          Not(HasSubstr("<int8>"))));
}

TEST(ComparisonPage, HasTheHistogramOfDifferences) {
  const std::string page = comparison_page(testing::comparison_of_two());
  EXPECT_THAT(page, AllOf(HasSubstr("75.00 %"), HasSubstr("25.00 %"), HasSubstr(">10 m</text>")));
  EXPECT_EQ(count_of(page, "<rect"), 2U);
}

TEST(ComparisonPage, ShowsDepthDifferenceAndRelativeErrorOfEachPicture) {
  Comparison comparison = testing::comparison_of_two();
  const auto flat = [](double depth) { return cv::Mat(40, 60, CV_32FC1, cv::Scalar(depth)); };
  comparison.pictures = {{.id = "drive/1",
                          .rgb = cv::Mat(40, 60, CV_8UC3, cv::Scalar(10, 20, 30)),
                          .truth = flat(10),
                          .predictions = {flat(11), flat(11.5)}}};
  const std::string page = comparison_page(comparison);
  EXPECT_THAT(page, AllOf(HasSubstr("&lt;int8&gt;: difference from float"),
                          HasSubstr("&lt;int8&gt;: error relative to ground truth"),
                          Not(HasSubstr("float: difference from"))));
  // Picture, truth, two depths, one difference, two errors; three scales.
  EXPECT_EQ(count_of(page, "<img"), 10U);
}

TEST(ComparisonPage, OfOneModelHasNoDifference) {
  Comparison comparison = testing::comparison_of_two();
  comparison.results.pop_back();
  comparison.deltas.clear();
  EXPECT_THAT(comparison_page(comparison),
              AllOf(Not(HasSubstr("differs from it")), Not(HasSubstr("<svg"))));
}

}  // namespace
}  // namespace dualdepth
