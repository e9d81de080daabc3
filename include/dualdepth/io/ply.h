#pragma once

#include <filesystem>
#include <functional>
#include <opencv2/core.hpp>
#include <optional>

#include "dualdepth/io/kitti_calibration.h"
#include "dualdepth/io/vadas_camera.h"

namespace dualdepth {

// Where what a camera sees at pixel (u, v) with this depth along its axis lies: x right, y down, z
// forward, metres; nothing where the lens sees nothing.
using PixelToPoint = std::function<std::optional<cv::Point3d>(double u, double v, double depth)>;

PixelToPoint pinhole_points(const Intrinsics& intrinsics);

// For pictures of this size.
PixelToPoint vadas_points(const VadasCamera& camera, cv::Size size);

// Writes the coloured points of a depth map as binary PLY, one for each pixel with depth > 0 on
// every `stride`-th row and column. `depth` is CV_32FC1, `rgb` CV_8UC3 of the same size.
// Atomically.
void write_point_cloud(const std::filesystem::path& file, const cv::Mat& depth, const cv::Mat& rgb,
                       const PixelToPoint& point_of, int stride = 1);

}  // namespace dualdepth
