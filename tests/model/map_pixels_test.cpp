#include "dualdepth/model/map_pixels.h"

#include <gtest/gtest.h>

namespace dualdepth {
namespace {

// Two pictures of 4 x 6, the map of 2 x 3.
TEST(MapPixels, ArePixelsOfTheMapThatCoversThePicture) {
  const auto pixel = [](int64_t n, int64_t y, int64_t x) { return (n * 4 + y) * 6 + x; };
  const auto pixels = torch::tensor(
      {pixel(0, 0, 0), pixel(0, 1, 1), pixel(0, 3, 5), pixel(1, 0, 0), pixel(1, 2, 3)});
  EXPECT_TRUE(map_pixels(pixels, 6, 2).equal(torch::tensor({0, 0, 5, 6, 10})));
  EXPECT_TRUE(map_pixels(pixels, 6, 1).equal(pixels));
}

}  // namespace
}  // namespace dualdepth
