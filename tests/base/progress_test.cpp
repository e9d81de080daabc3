#include "dualdepth/base/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/log.h"

namespace dualdepth {
namespace {

using ::testing::MatchesRegex;

// What a progress line prints into a file, which is what a test's standard error is.
template <class Work>
std::string printed_by(Work work) {
  ::testing::internal::CaptureStderr();
  work();
  return ::testing::internal::GetCapturedStderr();
}

TEST(FormatDuration, GivesHoursMinutesSeconds) {
  EXPECT_EQ(format_duration(0), "0:00:00");
  EXPECT_EQ(format_duration(70.4), "0:01:10");
  EXPECT_EQ(format_duration(59.6), "0:01:00");
  EXPECT_EQ(format_duration(100 * 3600 + 61), "100:01:01");
  EXPECT_EQ(format_duration(-5), "0:00:00");
}

TEST(ProgressLine, InAFileShowsTheEndButNotEachStep) {
  const std::string text = printed_by([] {
    ProgressLine progress("predict", 3);
    for (size_t done = 1; done <= 3; ++done) progress.update(done, "file.png");
  });
  EXPECT_THAT(text, MatchesRegex("predict  3/3  [0-9.]+/s  file.png\n"));
}

TEST(ProgressLine, IsSilentWhenTheLogIsQuiet) {
  set_up_log(/*quiet=*/true);
  const std::string text = printed_by([] { ProgressLine("predict", 1).update(1); });
  set_up_log();
  EXPECT_EQ(text, "");
}

TEST(ProgressLine, CountsOnlyTheWorkOfThisRunForItsSpeed) {
  const std::string text =
      printed_by([] { ProgressLine("train", 1000, /*already_done=*/1000).update(1000); });
  EXPECT_EQ(text, "train  1000/1000  0.0/s\n");
}

}  // namespace
}  // namespace dualdepth
