#include "dualdepth/base/error.h"

#include <gtest/gtest.h>

namespace dualdepth {
namespace {

TEST(Error, SaysSubjectExpectedGotAndFix) {
  const Error error({.subject = "a.png",
                     .expected = "a 16-bit grey PNG",
                     .got = "8-bit grey",
                     .fix = "write depth as uint16"});
  EXPECT_STREQ(error.what(),
               "a.png: expected a 16-bit grey PNG, got 8-bit grey; write depth as uint16");
  EXPECT_EQ(error.parts().subject, "a.png");
}

TEST(Error, LeavesOutAnEmptyFix) {
  const Error error({.subject = "seed", .expected = "at least 0", .got = "-1", .fix = ""});
  EXPECT_STREQ(error.what(), "seed: expected at least 0, got -1");
}

TEST(Error, IsWhatAConfigErrorIs) { EXPECT_THROW(throw ConfigError("two problems"), Error); }

}  // namespace
}  // namespace dualdepth
