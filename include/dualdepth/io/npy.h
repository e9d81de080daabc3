#pragma once

#include <filesystem>
#include <opencv2/core.hpp>

namespace dualdepth {

// NumPy's .npy, format 1.0: one float32 array [H, W], little endian, C order. Written atomically.
void write_npy(const std::filesystem::path& file, const cv::Mat& array);

// Reads float32 or float64 arrays of 2 dimensions (leading dimensions of size 1 are dropped) as
// CV_32FC1. The header's length and shape are checked against the file's size before memory is
// taken. Throws Error naming what was found.
cv::Mat read_npy(const std::filesystem::path& file);

}  // namespace dualdepth
