#include "dualdepth/io/ply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "dualdepth/base/atomic_file.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::TempFolder;

constexpr Intrinsics kIntrinsics{.fx = 2, .fy = 4, .cx = 1, .cy = 0};
constexpr size_t kPointBytes = 3 * sizeof(float) + 3;

struct ReadPoint {
  std::array<float, 3> position;
  std::array<int, 3> color;
};

std::vector<ReadPoint> points_of(const std::string& ply) {
  const std::string end = "end_header\n";
  const std::string data = ply.substr(ply.find(end) + end.size());
  std::vector<ReadPoint> points(data.size() / kPointBytes);
  for (size_t i = 0; i < points.size(); ++i) {
    const char* from = data.data() + i * kPointBytes;
    std::memcpy(points[i].position.data(), from, sizeof points[i].position);
    for (size_t c = 0; c < 3; ++c) points[i].color[c] = static_cast<unsigned char>(from[12 + c]);
  }
  return points;
}

TEST(WritePointCloud, PutsEachPixelWithDepthWhereThePinholeSaysIt) {
  const TempFolder folder;
  const cv::Mat depth = (cv::Mat_<float>(2, 2) << 8, 0, std::numeric_limits<float>::quiet_NaN(), 2);
  cv::Mat rgb(2, 2, CV_8UC3, cv::Scalar(1, 2, 3));
  rgb.at<cv::Vec3b>(1, 1) = {250, 128, 7};
  write_point_cloud(folder / "a.ply", depth, rgb, pinhole_points(kIntrinsics));
  const std::string ply = read_file(folder / "a.ply");
  EXPECT_THAT(ply, StartsWith("ply\nformat binary_little_endian 1.0\n"));
  EXPECT_THAT(ply, HasSubstr("element vertex 2\nproperty float x\n"));
  const std::vector<ReadPoint> points = points_of(ply);
  ASSERT_EQ(points.size(), 2u);
  // By hand: x = (u - cx) / fx z, y = (v - cy) / fy z.
  EXPECT_THAT(points[0].position, ElementsAre(-4, 0, 8));
  EXPECT_THAT(points[0].color, ElementsAre(1, 2, 3));
  EXPECT_THAT(points[1].position, ElementsAre(0, 0.5f, 2));
  EXPECT_THAT(points[1].color, ElementsAre(250, 128, 7));
}

// The points (X, Y, Z) = (1, 1, 0) and (5, 0, -1) of a camera that looks along X with Y to the left
// and Z up appear there (the model's formula in Python), at half the width and a third of the
// height.
TEST(VadasPoints, LieWhereTheLensSeesThem) {
  const PixelToPoint point_of = vadas_points(VadasCamera(), {960, 512});
  const auto left = point_of(597.8245019594527 / 2, 770.48822 / 3, 1);
  ASSERT_TRUE(left);
  EXPECT_NEAR(left->x, -1, 1e-9);
  EXPECT_NEAR(left->y, 0, 1e-9);
  EXPECT_EQ(left->z, 1);
  const auto low = point_of(1004.9516 / 2, 869.5085757068836 / 3, 5);
  ASSERT_TRUE(low);
  EXPECT_NEAR(low->x, 0, 1e-9);
  EXPECT_NEAR(low->y, 1, 1e-9);
  EXPECT_FALSE(point_of(0, 0, 1)) << "the corner is dark";
}

TEST(WritePointCloud, StrideTakesEveryNthRowAndColumn) {
  const TempFolder folder;
  const cv::Mat depth(5, 7, CV_32FC1, cv::Scalar(1));
  write_point_cloud(folder / "a.ply", depth, cv::Mat(5, 7, CV_8UC3, cv::Scalar()),
                    pinhole_points(kIntrinsics), 3);
  EXPECT_THAT(read_file(folder / "a.ply"), HasSubstr("element vertex 6\n"));  // 2 rows, 3 columns
}

}  // namespace
}  // namespace dualdepth
