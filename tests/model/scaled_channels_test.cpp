#include "dualdepth/model/scaled_channels.h"

#include <gtest/gtest.h>

namespace dualdepth {
namespace {

TEST(ScaledChannels, AreMultiplesOf8AndAtLeast8) {
  EXPECT_EQ(scaled_channels(64, 1), 64);
  EXPECT_EQ(scaled_channels(64, 0.3), 16);   // of 19.2
  EXPECT_EQ(scaled_channels(64, 0.35), 24);  // of 22.4
  EXPECT_EQ(scaled_channels(16, 0.125), 8);  // of 2
}

}  // namespace
}  // namespace dualdepth
