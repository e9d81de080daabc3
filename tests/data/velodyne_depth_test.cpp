#include "dualdepth/data/velodyne_depth.h"

#include <gtest/gtest.h>

#include "dualdepth/io/velodyne.h"
#include "testing/shared_data.h"

namespace dualdepth {
namespace {

// Velodyne x forward, y left, z up -> camera x right, y down, z forward; f = 100, centre (50, 40);
// the camera sits 0.25 m before the scanner.
KittiCamera simple_camera() {
  KittiCamera camera;
  camera.projection = cv::Matx34d(100, 0, 50, 0, 0, 100, 40, 0, 0, 0, 1, 0);
  camera.velodyne_to_rect = cv::Matx44d(0, -1, 0, 0, 0, 0, -1, 0, 1, 0, 0, -0.25, 0, 0, 0, 1);
  return camera;
}

const cv::Size kSize(100, 80);

TEST(ProjectVelodyne, OfficialRoundsAndUsesCameraDepth) {
  // z = 10: u = 50 + 100 * 1 / 10 = 60, v = 40 - 100 * 0.5 / 10 = 35.
  const std::vector<cv::Vec4f> points = {{10.25F, -1.0F, 0.5F, 0.3F}};
  const cv::Mat depth = project_velodyne(points, simple_camera(), kSize, ProjectionKind::kOfficial);
  EXPECT_EQ(cv::countNonZero(depth), 1);
  EXPECT_FLOAT_EQ(depth.at<float>(35, 60), 10.0F);
}

TEST(ProjectVelodyne, EigenSubtractsOneAndUsesTheScannersAxis) {
  const std::vector<cv::Vec4f> points = {{10.25F, -1.0F, 0.5F, 0.3F}};
  const cv::Mat depth = project_velodyne(points, simple_camera(), kSize, ProjectionKind::kEigen);
  EXPECT_EQ(cv::countNonZero(depth), 1);
  EXPECT_FLOAT_EQ(depth.at<float>(34, 59), 10.25F);
}

TEST(ProjectVelodyne, NearestPointWinsAtAPixelInEitherOrder) {
  const cv::Vec4f near(5.25F, 0, 0, 0), far(20.25F, 0, 0, 0);
  for (const auto& points : {std::vector{near, far}, std::vector{far, near}}) {
    const cv::Mat depth =
        project_velodyne(points, simple_camera(), kSize, ProjectionKind::kOfficial);
    EXPECT_FLOAT_EQ(depth.at<float>(40, 50), 5.0F);
  }
}

TEST(ProjectVelodyne, DropsWhatIsBehindOrOutsideOrNotANumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<cv::Vec4f> points = {
      {-5, 0, 0, 0},       // behind the scanner
      {0.1F, 0, 0, 0},     // before the scanner, behind the camera
      {10.25F, 6, 0, 0},   // u = -10
      {10.25F, -6, 0, 0},  // u = 110
      {nan, 0, 0, 0},     {10, nan, 0, 0},
  };
  for (const auto kind : {ProjectionKind::kOfficial, ProjectionKind::kEigen}) {
    EXPECT_EQ(cv::countNonZero(project_velodyne(points, simple_camera(), kSize, kind)), 0);
  }
}

struct Golden {
  const char* frame;
  int camera;
  ProjectionKind projection;
  int pixels;
  double sum;  // of all depths, metres
  int v, u;
  double metres;
};

void PrintTo(const Golden& value, std::ostream* out) {
  *out << value.frame << ", camera " << value.camera << ", " << enum_name(value.projection);
}

class ProjectRealSweep : public ::testing::TestWithParam<Golden> {
 protected:
  void SetUp() override { DUALDEPTH_NEEDS_SHARED("kitti_mini"); }
};

TEST_P(ProjectRealSweep, EqualsNumPy) {
  const Golden& golden = GetParam();
  const auto date = testing::shared_path("kitti_mini/raw/2011_09_26");
  const auto points = read_velodyne(date / "2011_09_26_drive_0005_sync/velodyne_points/data" /
                                    (std::string(golden.frame) + ".bin"));
  const cv::Mat depth = project_velodyne(points, read_kitti_camera(date, golden.camera),
                                         {1242, 375}, golden.projection);
  EXPECT_EQ(cv::countNonZero(depth), golden.pixels);
  EXPECT_NEAR(cv::sum(depth)[0], golden.sum, 0.01);
  EXPECT_NEAR(depth.at<float>(golden.v, golden.u), golden.metres, 1e-5);
}

constexpr auto kOfficial = ProjectionKind::kOfficial;
constexpr auto kEigen = ProjectionKind::kEigen;
// Printed by data_golden.py.
INSTANTIATE_TEST_SUITE_P(
    Drive0005, ProjectRealSweep,
    ::testing::Values(Golden{"0000000000", 2, kOfficial, 20387, 337531.869, 244, 264, 21.261358},
                      Golden{"0000000000", 2, kEigen, 20440, 343492.896, 243, 510, 19.047001},
                      Golden{"0000000000", 3, kOfficial, 20330, 335319.999, 244, 486, 18.791205},
                      Golden{"0000000050", 2, kOfficial, 20069, 344297.386, 244, 1151, 9.402046},
                      Golden{"0000000050", 2, kEigen, 20111, 350179.294, 244, 238, 19.823999},
                      Golden{"0000000050", 3, kOfficial, 20123, 342333.606, 244, 935, 15.266274},
                      Golden{"0000000100", 2, kOfficial, 18927, 258931.254, 246, 298, 8.991704},
                      Golden{"0000000100", 2, kEigen, 18969, 264469.762, 245, 559, 16.587999},
                      Golden{"0000000100", 3, kOfficial, 18712, 256459.889, 247, 444, 10.709387},
                      Golden{"0000000150", 2, kOfficial, 17739, 232917.572, 246, 530, 16.316803},
                      Golden{"0000000150", 2, kEigen, 17794, 238190.404, 245, 706, 13.096000},
                      Golden{"0000000150", 3, kOfficial, 18000, 233378.364, 246, 323, 14.190769}));

}  // namespace
}  // namespace dualdepth
