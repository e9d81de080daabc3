#include "dualdepth/base/spread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dualdepth {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SpreadIndices, AreEvenAndInside) {
  EXPECT_THAT(spread_indices(10, 5), ElementsAre(0, 2, 4, 6, 8));
  EXPECT_THAT(spread_indices(3, 5), ElementsAre(0, 1, 2));
  EXPECT_THAT(spread_indices(0, 5), IsEmpty());
}

}  // namespace
}  // namespace dualdepth
