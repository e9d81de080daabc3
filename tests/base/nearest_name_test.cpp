#include "dualdepth/base/nearest_name.h"

#include <gtest/gtest.h>

#include <array>

namespace dualdepth {
namespace {

constexpr std::array<std::string_view, 4> kKnown = {"min_depth", "max_depth", "lr", "momentum"};

TEST(NearestName, FindsLettersDroppedAddedChangedAndSwapped) {
  EXPECT_EQ(nearest_name("max_dept", kKnown), "max_depth");
  EXPECT_EQ(nearest_name("mmin_depth", kKnown), "min_depth");
  EXPECT_EQ(nearest_name("momentun", kKnown), "momentum");
  EXPECT_EQ(nearest_name("rl", kKnown), "lr");
  EXPECT_EQ(nearest_name("lr", kKnown), "lr");
}

TEST(NearestName, TakesTheNearerOfTwo) {
  EXPECT_EQ(nearest_name("mxn_depth", kKnown), "min_depth");  // 1 letter against 2
}

TEST(NearestName, IsEmptyWhereNoneIsNear) {
  EXPECT_EQ(nearest_name("encoder", kKnown), "");
  EXPECT_EQ(nearest_name("", kKnown), "");
  EXPECT_EQ(nearest_name(std::string(1000000, 'x'), kKnown), "");
  EXPECT_EQ(nearest_name("lr", {}), "");
}

TEST(SuggestName, ListsAllWhereNoneIsNear) {
  EXPECT_EQ(suggest_name("max_dept", kKnown), "did you mean max_depth?");
  EXPECT_EQ(suggest_name("encoder", kKnown), "known: min_depth, max_depth, lr, momentum");
}

}  // namespace
}  // namespace dualdepth
