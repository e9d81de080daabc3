#pragma once

#include <filesystem>
#include <opencv2/core.hpp>

#include "dualdepth/data/synthetic_camera.h"

namespace dualdepth::synthetic {

// Left colour camera and LiDAR on one roof, as KITTI's calibration files describe them: a point v
// of the LiDAR appears at projection * rectification * (rotation * v + translation).
struct KittiRig {
  cv::Size size;
  cv::Matx34d projection;     // P_rect_02, pixels
  cv::Matx33d rectification;  // R_rect_00
  cv::Matx33d rotation;       // R of calib_velo_to_cam.txt
  cv::Vec3d translation;      // T, metres

  // KITTI's field of view across (81 degrees) for pictures of this size, with square pixels.
  explicit KittiRig(cv::Size size);

  Intrinsics intrinsics() const;

  // Where the LiDAR sits in the axes of camera 2 (forward, left, up).
  Pose lidar_in_camera() const;

  // calib_cam_to_cam.txt, calib_velo_to_cam.txt and calib_imu_to_velo.txt.
  void write_calibration(const std::filesystem::path& date_folder) const;
};

}  // namespace dualdepth::synthetic
