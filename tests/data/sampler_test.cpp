#include "dualdepth/data/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace dualdepth {
namespace {

using ::testing::ElementsAre;

TEST(EpochOrder, CoversEverySampleOnce) {
  std::vector<size_t> order = epoch_order(1000, true, 3, 4);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  std::vector<size_t> all(1000);
  std::iota(all.begin(), all.end(), size_t{0});
  EXPECT_EQ(order, all);
}

TEST(EpochOrder, IsAFunctionOfSeedAndEpoch) {
  EXPECT_EQ(epoch_order(50, true, 3, 4), epoch_order(50, true, 3, 4));
  EXPECT_NE(epoch_order(50, true, 3, 4), epoch_order(50, true, 3, 5));
  EXPECT_NE(epoch_order(50, true, 3, 4), epoch_order(50, true, 4, 4));
}

TEST(EpochOrder, PutsEverySampleAtEveryPlaceEquallyOften) {
  // 6000 epochs of 3: each of the 6 orders 1000 times; five standard deviations are 145.
  std::vector<int> seen(27);
  for (int epoch = 0; epoch < 6000; ++epoch) {
    const auto order = epoch_order(3, true, 0, epoch);
    ++seen[order[0] * 9 + order[1] * 3 + order[2]];
  }
  for (const int code : {5, 7, 11, 15, 19, 21}) {
    EXPECT_NEAR(seen[static_cast<size_t>(code)], 1000, 145);
  }
}

TEST(EpochOrder, IsAscendingWhenNotShuffled) {
  EXPECT_THAT(epoch_order(4, false, 3, 4), ElementsAre(0, 1, 2, 3));
}

}  // namespace
}  // namespace dualdepth
