#include "dualdepth/data/synthetic_render.h"

#include <gtest/gtest.h>

#include <numbers>

#include "dualdepth/data/synthetic_lidar.h"
#include "dualdepth/data/synthetic_rig.h"
#include "dualdepth/data/synthetic_road.h"

namespace dualdepth::synthetic {
namespace {

constexpr double kMillimetre = 1e-3;

Scene make_scene(const std::vector<Object>& objects) {
  const auto grey = [](const Vec3&, const Footprint&) { return Surface{}; };
  return Scene(objects, Plane{}, grey, Lighting{});
}

// 1.6 m above the ground, level, focal length 100 px, principal point (64, 32).
Camera make_camera() { return pinhole_camera({100, 100, 64, 32}, {128, 64}, Pose{{0, 0, 1.6}}); }

// Depths by hand. Ground: focal length * height / rows below the horizon. The box's rear face
// stands at 10 m, 2 to 4 m to the left (20 to 40 px), up to 3 m. The pole's axis stands at 8 m, 2 m
// to the right (25 px): on the ray y = -0.25 x its nearest point is where
// 1.0625 x^2 - 17 x + 68 - 0.04 = 0. The ball of radius 1 lies on the axis at 20 m.
TEST(Render, DepthIsThatOfTheScene) {
  const Scene scene = make_scene({{Box{{11, 3, 0}, {2, 2, 3}}, {}},
                                  {Cylinder{{8, -2, 0}, {0, 0, 1}, 4, 0.2}, {}},
                                  {Ellipsoid{{20, 0, 1.6}, {1, 1, 1}}, {}}});
  const cv::Mat1d depth = render(scene, make_camera(), Sensor{}).depth;
  EXPECT_NEAR(depth(52, 64), 100 * 1.6 / 20, kMillimetre);
  EXPECT_NEAR(depth(63, 3), 100 * 1.6 / 31, kMillimetre);
  EXPECT_NEAR(depth(32, 34), 10, kMillimetre);
  EXPECT_NEAR(depth(20, 25), 10, kMillimetre);
  const double pole = (8.5 - std::sqrt(8.5 * 8.5 - 1.0625 * (68 - 0.04))) / 1.0625;
  EXPECT_NEAR(depth(32, 89), pole, kMillimetre);
  EXPECT_NEAR(depth(32, 64), 19, kMillimetre);
  EXPECT_EQ(depth(5, 64), 0) << "sky";
}

TEST(Render, PicturesOfOneSceneAreEqualToTheByte) {
  const RoadDrive drive(3, 0, 10);
  const Camera camera = pinhole_camera({60, 60, 50, 18}, {104, 40}, drive.camera_pose(2));
  const Rendering first = render(drive.scene(2), camera, drive.sensor(2));
  const Rendering second = render(RoadDrive(3, 0, 10).scene(2), camera, drive.sensor(2));
  EXPECT_EQ(cv::norm(first.rgb, second.rgb, cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(first.depth, second.depth, cv::NORM_INF), 0);
}

TEST(Render, DrivesDiffer) {
  const auto picture = [](int index) {
    const RoadDrive drive(3, index, 10);
    const Camera camera = pinhole_camera({60, 60, 50, 18}, {104, 40}, drive.camera_pose(0));
    return render(drive.scene(0), camera, drive.sensor(0)).rgb;
  };
  EXPECT_GT(cv::norm(picture(0), picture(1), cv::NORM_L1) / (104 * 40 * 3), 10);
}

TEST(Render, PixelsThatTheLensDoesNotSeeAreBlackWithoutDepth) {
  Camera camera = make_camera();
  camera.direction = [lens = camera.direction](double u, double v) -> std::optional<Vec3> {
    if (u < 30) return std::nullopt;
    return lens(u, v);
  };
  const Rendering rendering = render(make_scene({}), camera, Sensor{.noise = 0});
  EXPECT_EQ(cv::countNonZero(cv::Mat1d(rendering.depth).colRange(0, 29)), 0);
  EXPECT_EQ(cv::norm(rendering.rgb.colRange(0, 29), cv::NORM_INF), 0);
  EXPECT_GT(cv::norm(rendering.rgb.colRange(40, 128), cv::NORM_INF), 0);
}

// A beam that points down by e from height h meets the ground after h / sin(e).
TEST(Lidar, SweepOfBareGroundLiesOnIt) {
  const Lidar lidar{.beams = 3, .highest = 0.5, .lowest = -10.5, .loss = 0};
  const auto points = scan(make_scene({}), Pose{{5, 1, 1.73}}, lidar);
  ASSERT_EQ(points.size(), 2U * 562) << "the beams at -5 and -10.5 degrees; 90 / 0.16 pulses each";
  for (const cv::Vec4f& point : points) EXPECT_NEAR(point[2], -1.73, 1e-5);
  const double range = cv::norm(cv::Vec3d(points[0][0], points[0][1], points[0][2]));
  EXPECT_NEAR(range, 1.73 / std::sin(5 * std::numbers::pi / 180), kMillimetre);
}

TEST(Lidar, SweepEndsAtItsRange) {
  const Scene wall = make_scene({{Box{{60, 0, 0}, {1, 200, 30}}, {}}});
  const Lidar lidar{.beams = 1, .highest = 0, .lowest = 0, .max_range = 70, .loss = 0};
  const auto points = scan(wall, Pose{{0, 0, 1.73}}, lidar);
  // The wall's face at 59.5 m is within 70 m up to acos(59.5 / 70) = 31.79 degrees.
  EXPECT_NEAR(static_cast<double>(points.size()), 2 * 31.79 / 0.16, 2);
  for (const cv::Vec4f& point : points) EXPECT_NEAR(point[0], 59.5, 1e-4);
}

// The formula of KITTI's devkit, P_rect R_rect Tr, against the poses that the renderer uses.
TEST(KittiRig, LidarPoseAgreesWithTheOfficialProjection) {
  const KittiRig rig({640, 192});
  for (const cv::Vec3d& v : {cv::Vec3d(10, 2, -1), cv::Vec3d(70, -20, 3), cv::Vec3d(4, 0, -1.7)}) {
    const cv::Vec3d rectified = rig.rectification * (rig.rotation * v + rig.translation);
    const cv::Vec3d image = rig.projection * cv::Vec4d(rectified[0], rectified[1], rectified[2], 1);
    const Vec3 p = rig.lidar_in_camera().to_world(Vec3(v));
    const Intrinsics k = rig.intrinsics();
    EXPECT_NEAR(p.x, image[2], 1e-9);
    EXPECT_NEAR(k.cx - k.fx * p.y / p.x, image[0] / image[2], 1e-9);
    EXPECT_NEAR(k.cy - k.fy * p.z / p.x, image[1] / image[2], 1e-9);
  }
}

}  // namespace
}  // namespace dualdepth::synthetic
