#include "dualdepth/base/stop_signal.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace dualdepth {
namespace {

TEST(StopSignal, FirstSignalOnlySetsTheFlag) {
  const StopSignal stop;
  EXPECT_FALSE(stop.requested());
  EXPECT_STREQ(stop.name(), "");
  ::raise(SIGTERM);
  EXPECT_TRUE(stop.requested());
  EXPECT_STREQ(stop.name(), "SIGTERM");
}

TEST(StopSignal, EachBeginsAnew) {
  {
    const StopSignal stop;
    ::raise(SIGINT);
    EXPECT_STREQ(stop.name(), "SIGINT");
  }
  const StopSignal stop;
  EXPECT_FALSE(stop.requested());
}

TEST(StopSignal, SecondOneAtATimeIsAMistake) {
  const StopSignal stop;
  EXPECT_THROW(StopSignal(), std::logic_error);
}

TEST(StopSignalDeathTest, SecondSignalEndsTheProcessWith130) {
  EXPECT_EXIT(
      {
        const StopSignal stop;
        ::raise(SIGINT);
        ::raise(SIGTERM);
      },
      ::testing::ExitedWithCode(130), "");
}

TEST(StopSignalDeathTest, AfterwardsSignalsDoWhatTheyDidBefore) {
  EXPECT_EXIT(
      {
        { const StopSignal stop; }
        ::raise(SIGTERM);
      },
      ::testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace dualdepth
