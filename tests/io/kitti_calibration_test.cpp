#include "dualdepth/io/kitti_calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"
#include "testing/shared_data.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::shared_path;
using testing::TempFolder;
using ::testing::ThrowsMessage;

constexpr const char* kDate = "kitti_mini/raw/2011_09_26";

constexpr const char* kCameras =
    "calib_time: 09-Jan-2012 13:57:47\n"
    "corner_dist: 9.950000e-02\n"
    "S_rect_02: 1.242000e+03 3.750000e+02\n"
    "R_rect_00: 1 0 0 0 1 0 0 0 1\n"
    "P_rect_02: 700 0 600 45 0 710 170 0.2 0 0 1 0.003\r\n";
constexpr const char* kVelodyne = "R: 0 -1 0 0 0 -1 1 0 0\nT: 0.5 -0.25 0.125\n";

// A date folder whose cameras file has `from` replaced by `to`.
void write_calibration(const TempFolder& folder, const std::string& from = "",
                       const std::string& to = "") {
  std::string cameras = kCameras;
  if (!from.empty()) cameras.replace(cameras.find(from), from.size(), to);
  folder.write("calib_cam_to_cam.txt", cameras);
  folder.write("calib_velo_to_cam.txt", kVelodyne);
}

TEST(KittiCamera, ReadsTheRealCalibration) {
  DUALDEPTH_NEEDS_SHARED(kDate);
  const KittiCamera camera = read_kitti_camera(shared_path(kDate), 3);
  EXPECT_EQ(camera.size, cv::Size(1242, 375));
  // From the file: P_rect_03.
  EXPECT_EQ(camera.intrinsics().fx, 721.5377);
  EXPECT_EQ(camera.intrinsics().cx, 609.5593);
  EXPECT_EQ(camera.intrinsics().cy, 172.8540);
  EXPECT_EQ(camera.projection(0, 3), -339.5242);
  // NumPy: R_rect_00 @ [R T], and P_rect_03 @ that @ [10, -2, 0.5, 1].
  EXPECT_NEAR(camera.velodyne_to_rect(0, 1), -0.99994415454376406, 1e-15);
  EXPECT_NEAR(camera.velodyne_to_rect(2, 3), -0.27213279640587318, 1e-15);
  const cv::Vec3d pixel = camera.projection * (camera.velodyne_to_rect * cv::Vec4d(10, -2, 0.5, 1));
  EXPECT_NEAR(pixel[0] / pixel[2], 722.314145650267, 1e-9);
  EXPECT_NEAR(pixel[1] / pixel[2], 136.5885710311696, 1e-9);
  EXPECT_NEAR(pixel[2], 9.735027914955213, 1e-12);
}

TEST(KittiCamera, TurnsVelodyneAxesIntoCameraAxes) {
  const TempFolder folder;
  write_calibration(folder);
  const KittiCamera camera = read_kitti_camera(folder.path(), 2);
  // By hand: x forward, y left, z up become x right, y down, z forward, then T is added.
  const cv::Vec4d point = camera.velodyne_to_rect * cv::Vec4d(10, 2, 3, 1);
  EXPECT_EQ(point, cv::Vec4d(-1.5, -3.25, 10.125, 1));
}

TEST(KittiIntrinsics, NeedOnlyTheCameraFile) {
  const TempFolder folder;
  const auto file = folder.write("calib_cam_to_cam.txt", kCameras);
  const Intrinsics intrinsics = read_kitti_intrinsics(file, 2);
  EXPECT_EQ(intrinsics.fx, 700);
  EXPECT_EQ(intrinsics.fy, 710);
  EXPECT_EQ(intrinsics.cx, 600);
  EXPECT_EQ(intrinsics.cy, 170);
}

TEST(Intrinsics, ScaleKeepsThePictureEdgesInPlace) {
  const Intrinsics half =
      Intrinsics{.fx = 700, .fy = 710, .cx = 609.5, .cy = 172.5}.scaled(0.5, 0.25);
  EXPECT_EQ(half.fx, 350);
  EXPECT_EQ(half.fy, 177.5);
  EXPECT_EQ(half.cx, 304.5);  // (609.5 + 1/2) / 2 - 1/2: pixel centres are at whole numbers
  EXPECT_EQ(half.cy, 42.75);  // (172.5 + 1/2) / 4 - 1/2
}

TEST(KittiCamera, MissingProjectionIsNamed) {
  const TempFolder folder;
  write_calibration(folder, "P_rect_02", "P_rect_01");
  EXPECT_THAT([&] { read_kitti_camera(folder.path(), 2); },
              ThrowsMessage<Error>(AllOf(HasSubstr("calib_cam_to_cam.txt: P_rect_02"),
                                         HasSubstr("expected 12 numbers, got no such line"))));
}

TEST(KittiCamera, KeyThatOnlyBeginsAlikeDoesNotCount) {
  const TempFolder folder;
  write_calibration(folder, "S_rect_02:", "S_rect_020:");
  EXPECT_THAT([&] { read_kitti_camera(folder.path(), 2); },
              ThrowsMessage<Error>(HasSubstr("S_rect_02: expected 2 numbers")));
}

TEST(KittiCamera, WrongNumberOfValuesIsReported) {
  const TempFolder folder;
  write_calibration(folder, " 0.003", "");
  EXPECT_THAT([&] { read_kitti_camera(folder.path(), 2); },
              ThrowsMessage<Error>(HasSubstr("P_rect_02: expected 12 numbers, got 11")));
}

TEST(KittiCamera, WhatIsNoNumberIsQuoted) {
  const TempFolder folder;
  for (const char* value : {"seven", "700x", "nan", "1e999"}) {
    write_calibration(folder, "700", value);
    EXPECT_THAT([&] { read_kitti_camera(folder.path(), 2); },
                ThrowsMessage<Error>(HasSubstr("got \"" + std::string(value) + "\"")));
  }
}

TEST(KittiCamera, ImpossibleValuesAreRefused) {
  const TempFolder folder;
  write_calibration(folder, "700", "0");
  EXPECT_THAT([&] { read_kitti_camera(folder.path(), 2); },
              ThrowsMessage<Error>(HasSubstr("focal lengths above 0")));
  write_calibration(folder, "1.242000e+03", "1e300");
  EXPECT_THAT([&] { read_kitti_camera(folder.path(), 2); },
              ThrowsMessage<Error>(HasSubstr("S_rect_02")));
}

TEST(KittiCamera, MissingVelodyneFileIsNamed) {
  const TempFolder folder;
  folder.write("calib_cam_to_cam.txt", kCameras);
  EXPECT_THAT([&] { read_kitti_camera(folder.path(), 2); },
              ThrowsMessage<Error>(HasSubstr("calib_velo_to_cam.txt")));
}

}  // namespace
}  // namespace dualdepth
