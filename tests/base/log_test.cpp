#include "dualdepth/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using testing::TempFolder;
using ::testing::ThrowsMessage;

class Log : public ::testing::Test {
 protected:
  ~Log() override { set_up_log(); }
};

TEST_F(Log, GoesToStandardErrorNotToStandardOutput) {
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();
  set_up_log();
  spdlog::info("hello");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), MatchesRegex("..:..:.. info hello\n"));
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
}

TEST_F(Log, QuietLeavesWarnings) {
  ::testing::internal::CaptureStderr();
  set_up_log(/*quiet=*/true);
  spdlog::info("hello");
  spdlog::warn("beware");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("beware"), Not(HasSubstr("hello"))));
}

TEST_F(Log, AlsoGoesToAFileWhichItAppendsTo) {
  const TempFolder folder;
  const auto file = folder.write("log.txt", "before\n");
  ::testing::internal::CaptureStderr();
  set_up_log();
  const LogFile log_file(file);
  spdlog::info("hello");
  ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(read_file(file), MatchesRegex("before\n....-..-.. ..:..:.. info hello\n"));
}

TEST_F(Log, FileThatCannotBeWrittenIsAnErrorThatNamesIt) {
  const TempFolder folder;
  const auto in_the_way = folder.write("a", "x");
  EXPECT_THAT([&] { LogFile(in_the_way / "log.txt"); },
              ThrowsMessage<Error>(HasSubstr((in_the_way / "log.txt").string())));
}

}  // namespace
}  // namespace dualdepth
