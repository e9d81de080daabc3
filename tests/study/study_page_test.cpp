#include "dualdepth/study/study_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "study/result_fixture.h"

namespace dualdepth::study {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The page as text, a cell after the other.
std::string text_of(const std::string& page) {
  const std::string without_style =
      std::regex_replace(page, std::regex("<style>[^]*?</style>"), "");
  return std::regex_replace(std::regex_replace(without_style, std::regex("<[^>]*>"), " "),
                            std::regex("\\s+"), " ");
}

class PageOfTwo : public ::testing::Test {
 protected:
  const std::string page_ = study_page(testing::result_of_two());
  const std::string text_ = text_of(page_);
};

TEST_F(PageOfTwo, TellsHowManyRunsAreDoneAndWhichFailed) {
  EXPECT_THAT(text_, AllOf(HasSubstr("2 variants from 3 seeds on 1 data set: 5 of 6 runs done"),
                           HasSubstr("levels_256/roads/seed_2 : train: no &lt;luck&gt;")));
}

// The numbers of study_result_test.cpp.
TEST_F(PageOfTwo, HasBothIntervalsOfEachMetric) {
  EXPECT_THAT(text_, HasSubstr("one_sigmoid 0.1417 0.1227 .. 0.1606"));
}

TEST_F(PageOfTwo, HasThePairedDifferenceFromTheReference) {
  EXPECT_THAT(text_, HasSubstr("levels_256 -0.0200 -0.0835 .. +0.0435 -0.0200 .. -0.0200 *"));
}

TEST_F(PageOfTwo, HasWhatEightBitsDo) {
  EXPECT_THAT(text_, HasSubstr("one_sigmoid per-tensor as written 0.1517 1.517 0.8483 1.0706 41.0 "
                               "20.5 99.900"));
}

// 2,500 million products, 900 million of them in heads; 61,440 bytes.
TEST_F(PageOfTwo, HasTheCost) {
  EXPECT_THAT(text_, HasSubstr("one_sigmoid 14.00 2.500 0.9000 61.4 61440 12.5"));
}

TEST_F(PageOfTwo, HasThePrecisionByRange) {
  EXPECT_THAT(text_, HasSubstr("one_sigmoid 0-10 312 0.61 0.1417 1133 41.0"));
}

TEST_F(PageOfTwo, EscapesWhatComesFromTheFile) {
  EXPECT_THAT(page_, AllOf(HasSubstr("the &lt;baseline&gt;"), Not(HasSubstr("<baseline>")),
                           Not(HasSubstr("nan"))));
}

TEST_F(PageOfTwo, HasItsPlots) {
  size_t plots = 0;
  for (size_t at = page_.find("<svg"); at != std::string::npos; at = page_.find("<svg", at + 1)) {
    ++plots;
  }
  EXPECT_EQ(plots, 4U);
}

TEST(StudyPage, OfAStudyThatHasNotBegunSaysSo) {
  auto result = testing::result_of_two();
  for (RunResult& run : result.runs) run = {.run = run.run};
  result.summary = summarize(result.study, result.runs);
  EXPECT_THAT(text_of(study_page(result)), AllOf(HasSubstr("No run on this data is done."),
                                                 HasSubstr("Runs that are not done")));
}

}  // namespace
}  // namespace dualdepth::study
