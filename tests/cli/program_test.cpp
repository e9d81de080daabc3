#include "testing/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dualdepth {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(Program, SaysItsVersion) {
  const auto result = testing::run_program(testing::program(), {"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, MatchesRegex("dualdepth [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Program, WithoutAVerbPointsToItsHelp) {
  const auto result = testing::run_program(testing::program(), {});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("--help"));
}

}  // namespace
}  // namespace dualdepth
