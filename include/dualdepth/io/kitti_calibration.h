#pragma once

#include <array>
#include <filesystem>
#include <opencv2/core.hpp>

namespace dualdepth {

// A pinhole camera, in pixels of the picture it belongs to.
struct Intrinsics {
  double fx = 0, fy = 0, cx = 0, cy = 0;

  // For the picture resized by these factors (pixel centres at whole numbers).
  Intrinsics scaled(double scale_x, double scale_y) const;
};

// What calib_cam_to_cam.txt and calib_velo_to_cam.txt of one KITTI date say of one camera.
struct KittiCamera {
  cv::Matx34d projection;        // P_rect_0x: rectified camera 0 -> pixels of this camera
  cv::Matx44d velodyne_to_rect;  // R_rect_00 * Tr: velodyne -> rectified camera 0
  cv::Size size;                 // S_rect_0x

  Intrinsics intrinsics() const;
};

// `camera` is 2 (left colour) or 3 (right colour). Throws Error naming file and key when P_rect_0x,
// R_rect_00, R or T is absent or has the wrong number of values.
KittiCamera read_kitti_camera(const std::filesystem::path& date_folder, int camera);

// Only the intrinsics; needs calib_cam_to_cam.txt alone.
Intrinsics read_kitti_intrinsics(const std::filesystem::path& calib_cam_to_cam, int camera);

}  // namespace dualdepth
