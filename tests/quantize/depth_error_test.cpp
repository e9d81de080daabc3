#include "dualdepth/quantize/depth_error.h"

#include <gtest/gtest.h>

#include <array>

namespace dualdepth::quantize {
namespace {

DensePrediction prediction(const std::vector<float>& depth, const std::vector<int64_t>& level) {
  DensePrediction made;
  made.depth = torch::tensor(depth).view({1, 1, -1});
  made.level = torch::tensor(level).view({1, 1, -1});
  return made;
}

// Differences 0, 2, 2 m; 0, 1/2, 1/2 of the greater depth; levels 0, -2, +1.
TEST(DepthError, IsOverAllPixelsOfAllPictures) {
  const std::array said{prediction({1, 2}, {3, 5}), prediction({4}, {8})};
  const std::array wanted{prediction({1, 4}, {3, 7}), prediction({2}, {7})};
  const DepthError error = depth_error(said, wanted);
  EXPECT_DOUBLE_EQ(error.mean, 4.0 / 3);
  EXPECT_NEAR(error.median, 2, 1e-4);
  EXPECT_DOUBLE_EQ(error.relative, 1.0 / 3);
  EXPECT_DOUBLE_EQ(error.equal_levels, 1.0 / 3);
  EXPECT_DOUBLE_EQ(error.level_shift, -1.0 / 3);
}

// 0.1 m taken for 15 m would be an error of 149 times the depth.
TEST(DepthError, OfOnePixelCountsAtMostOnce) {
  const std::array said{prediction({15, 1}, {200, 50})};
  const std::array wanted{prediction({0.1F, 1}, {0, 50})};
  const double relative = depth_error(said, wanted).relative;
  EXPECT_GT(relative, 0.49);
  EXPECT_LE(relative, 0.5);
}

// A codec that decodes to 0 m: two depths of 0 do not differ.
TEST(DepthError, OfTwoDepthsOfZeroIsZero) {
  const std::array said{prediction({0, 3}, {0, 5})};
  const std::array wanted{prediction({0, 4}, {0, 5})};
  EXPECT_DOUBLE_EQ(depth_error(said, wanted).relative, 0.25 / 2);
}

}  // namespace
}  // namespace dualdepth::quantize
