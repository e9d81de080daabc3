#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/program.h"

namespace dualdepth {
namespace {

using ::testing::ContainsRegex;

// The original method's published table at 30 m: 255 levels of 117.6 mm, 255 fractions of 3.92 mm.
TEST(InspectCodec, PrintsThePublishedTableAt30Metres) {
  const auto result = testing::run_program(
      testing::program(), {"inspect", "codec", "--codec", "rounded", "--max-depth", "30"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output,
              ContainsRegex("level step +117\\.6 mm.*fraction step +3\\.92 mm.*codes +65536.*30 of "
                            "255.*58\\.8 mm.* 85 +[0-9.]+ +10\\.000 .* 170 +[0-9.]+ +20\\.000 .* "
                            "255 +[0-9.]+ +30\\.000 "));
}

TEST(InspectCodec, ACodecThatIsNotThereIsAnError) {
  const auto result =
      testing::run_program(testing::program(), {"inspect", "codec", "--codec", "square"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, ContainsRegex("square"));
}

}  // namespace
}  // namespace dualdepth
