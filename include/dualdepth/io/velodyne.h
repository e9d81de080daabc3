#pragma once

#include <filesystem>
#include <opencv2/core.hpp>
#include <vector>

namespace dualdepth {

// Reads a KITTI sweep: float32 x, y, z (metres, velodyne axes: x forward, y left, z up) and
// reflectance. Throws Error when the length is not a multiple of 16 bytes.
std::vector<cv::Vec4f> read_velodyne(const std::filesystem::path& file);

// Writes the same format, atomically.
void write_velodyne(const std::filesystem::path& file, const std::vector<cv::Vec4f>& points);

}  // namespace dualdepth
