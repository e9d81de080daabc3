#pragma once

#include <filesystem>
#include <opencv2/core.hpp>

#include "dualdepth/io/kitti_calibration.h"

namespace dualdepth {

// Writes the coloured points of a pinhole depth map as binary PLY (x right, y down, z forward, in
// metres), one for each pixel with depth > 0 on every `stride`-th row and column. `depth` is
// CV_32FC1, `rgb` CV_8UC3 of the same size. Atomically.
void write_point_cloud(const std::filesystem::path& file, const cv::Mat& depth, const cv::Mat& rgb,
                       const Intrinsics& intrinsics, int stride = 1);

}  // namespace dualdepth
