#include "dualdepth/data/resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "dualdepth/io/image.h"
#include "testing/shared_data.h"

namespace dualdepth {
namespace {

using ::testing::ElementsAre;

const cv::Size kNetwork(640, 192);

TEST(ScatterDepth, SendsEachValueToThePixelItsCentreFallsIntoAndKeepsTheNearest) {
  cv::Mat depth = cv::Mat::zeros(2, 6, CV_32FC1);
  depth.at<float>(0, 0) = 7;
  depth.at<float>(0, 2) = 5;  // (2.5 * 2 / 6) = 0.83: left half
  depth.at<float>(1, 3) = 9;  // (3.5 * 2 / 6) = 1.17: right half
  depth.at<float>(1, 1) = 6;
  const SparseDepth sparse = scatter_depth(depth, {}, {0, 0, 6, 2}, {2, 1});
  EXPECT_THAT(sparse.pixels, ElementsAre(0, 1));
  EXPECT_THAT(sparse.depths, ElementsAre(5.0F, 9.0F));
}

TEST(ScatterDepth, TakesOnlyTheRegionAndTheMask) {
  const cv::Mat depth = (cv::Mat_<float>(2, 4) << 1, 2, 3, 4, 5, 6, 7, 8);
  const SparseDepth region = scatter_depth(depth, {}, {1, 1, 2, 1}, {2, 1});
  EXPECT_THAT(region.pixels, ElementsAre(0, 1));
  EXPECT_THAT(region.depths, ElementsAre(6.0F, 7.0F));
  const cv::Mat mask = (cv::Mat_<uchar>(2, 4) << 0, 0, 0, 255, 0, 1, 0, 0);
  const SparseDepth masked = scatter_depth(depth, mask, {0, 0, 4, 2}, {4, 2});
  EXPECT_THAT(masked.pixels, ElementsAre(3, 5));
  EXPECT_THAT(masked.depths, ElementsAre(4.0F, 6.0F));
}

TEST(ScatterDepth, LeavesOutWhatIsNoDepth) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const cv::Mat depth = (cv::Mat_<float>(1, 4) << 0, -1, nan, infinity);
  EXPECT_TRUE(scatter_depth(depth, {}, {0, 0, 4, 1}, {4, 1}).pixels.empty());
}

struct ScatterGolden {
  const char* drive;
  const char* frame;
  int before;
  size_t after;
  double sum;
  int y, x;
  double metres;
};

void PrintTo(const ScatterGolden& value, std::ostream* out) {
  *out << value.drive << " " << value.frame;
}

class ScatterRealDepth : public ::testing::TestWithParam<ScatterGolden> {
 protected:
  void SetUp() override { DUALDEPTH_NEEDS_SHARED("kitti_mini"); }
};

TEST_P(ScatterRealDepth, EqualsNumPy) {
  const ScatterGolden& golden = GetParam();
  const cv::Mat depth = read_depth_png(
      testing::shared_path(std::string("kitti_mini/depth/train/2011_09_26_drive_") + golden.drive +
                           "_sync/proj_depth/groundtruth/image_02/" + golden.frame + ".png"));
  EXPECT_EQ(cv::countNonZero(depth), golden.before);
  const SparseDepth sparse = scatter_depth(depth, {}, {0, 0, 1242, 375}, kNetwork);
  ASSERT_EQ(sparse.pixels.size(), golden.after);
  EXPECT_NEAR(std::accumulate(sparse.depths.begin(), sparse.depths.end(), 0.0), golden.sum, 1e-3);
  const int32_t pixel = golden.y * kNetwork.width + golden.x;
  const auto found = std::find(sparse.pixels.begin(), sparse.pixels.end(), pixel);
  ASSERT_NE(found, sparse.pixels.end());
  EXPECT_FLOAT_EQ(sparse.depths[static_cast<size_t>(found - sparse.pixels.begin())],
                  static_cast<float>(golden.metres));
  EXPECT_TRUE(std::is_sorted(sparse.pixels.begin(), sparse.pixels.end()));
}

// Printed by data_golden.py.
INSTANTIATE_TEST_SUITE_P(KittiMini, ScatterRealDepth,
                         ::testing::Values(ScatterGolden{"0001", "0000000005", 90839, 43576,
                                                         759843.6367, 133, 334, 13.359375},
                                           ScatterGolden{"0013", "0000000010", 97904, 51887,
                                                         735826.9609, 135, 379, 12.957031}));

TEST(ResizeRgb, ShrinkingEqualsTheMeanOfTheCoveredAreaComputedWithNumPy) {
  DUALDEPTH_NEEDS_SHARED("kitti_mini");
  const cv::Mat rgb = read_rgb(testing::shared_path(
      "kitti_mini/raw/2011_09_26/2011_09_26_drive_0005_sync/image_02/data/0000000000.png"));
  const cv::Mat small = resize_rgb(rgb, kNetwork);
  struct Pixel {
    int y, x;
    double r, g, b;
  };
  // Printed by data_golden.py.
  for (const Pixel& golden :
       {Pixel{0, 0, 62.782, 50.534, 48.296}, Pixel{50, 321, 55.206, 38.943, 47.308},
        Pixel{100, 7, 57.057, 58.770, 66.284}, Pixel{150, 500, 73.744, 89.091, 119.727},
        Pixel{191, 639, 73.460, 94.776, 125.184}}) {
    const cv::Vec3b& pixel = small.at<cv::Vec3b>(golden.y, golden.x);
    EXPECT_NEAR(pixel[0], golden.r, 0.51) << golden.y << "," << golden.x;  // rounding to 8 bits
    EXPECT_NEAR(pixel[1], golden.g, 0.51) << golden.y << "," << golden.x;
    EXPECT_NEAR(pixel[2], golden.b, 0.51) << golden.y << "," << golden.x;
  }
  const cv::Scalar mean = cv::mean(small);
  EXPECT_NEAR(mean[0], 84.9289, 0.01);
  EXPECT_NEAR(mean[1], 89.1335, 0.01);
  EXPECT_NEAR(mean[2], 104.4448, 0.01);
}

TEST(ResizeRgb, ShrinksAndGrowsEachDirectionByItself) {
  // Columns are averaged in pairs; rows grow bilinearly: at 0.5 * (i + 0.5) - 0.5.
  const cv::Mat rgb = (cv::Mat_<cv::Vec3b>(2, 4) << cv::Vec3b::all(0), cv::Vec3b::all(20),
                       cv::Vec3b::all(100), cv::Vec3b::all(140), cv::Vec3b::all(40),
                       cv::Vec3b::all(60), cv::Vec3b::all(200), cv::Vec3b::all(240));
  const cv::Mat resized = resize_rgb(rgb, {2, 4});
  // Averages are 10, 120 above 50, 220; weights 1, 3/4, 1/4, 0 of the upper row.
  const int expected[4][2] = {{10, 120}, {20, 145}, {40, 195}, {50, 220}};
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 2; ++x) {
      EXPECT_EQ(resized.at<cv::Vec3b>(y, x), cv::Vec3b::all(static_cast<uchar>(expected[y][x])));
    }
  }
}

TEST(ResizeRgb, LeavesAPictureOfTheRightSizeAlone) {
  const cv::Mat rgb(48, 64, CV_8UC3, cv::Scalar(1, 2, 3));
  EXPECT_EQ(resize_rgb(rgb, rgb.size()).data, rgb.data);
}

}  // namespace
}  // namespace dualdepth
