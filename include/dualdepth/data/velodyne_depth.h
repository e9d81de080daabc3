#pragma once

#include <opencv2/core.hpp>
#include <span>

#include "dualdepth/config/data_options.h"
#include "dualdepth/io/kitti_calibration.h"

namespace dualdepth {

// Ground truth from one LiDAR sweep: points p = (x, y, z, 1) in velodyne axes (x forward) go to
//
//   (a, b, c) = P_rect_0x * R_rect_00 * Tr * p        u = a / c, v = b / c
//
// and to one pixel each. Points with x < 0 (behind the scanner) or c <= 0 (behind the camera) and
// points outside the picture are dropped; where several fall on a pixel, the nearest wins. Rounding
// is half to even.
//
//   official   pixel (round u, round v), depth c. Fits KITTI's own projected PNGs (velodyne_raw).
//   eigen      pixel (round u - 1, round v - 1), depth x. As the evaluation that Eigen's split is
//              published with has it (Garg 2016, Zhou 2017, Godard 2017 and 2019): the 1 is taken
//              over from MATLAB's counting, and depth is measured along the scanner's axis, some
//              0.3 m behind the camera. Numbers under `eigen-garg` compare with papers only so.
//
// Returns CV_32FC1 metres of this size, 0 = none.
cv::Mat project_velodyne(std::span<const cv::Vec4f> points, const KittiCamera& camera,
                         cv::Size size, ProjectionKind projection);

}  // namespace dualdepth
