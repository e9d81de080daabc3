#pragma once

#include <filesystem>
#include <opencv2/core.hpp>
#include <string>
#include <string_view>

namespace dualdepth {

// NumPy's .npy, format 1.0: one float32 array [H, W], little endian, C order. Written atomically.
void write_npy(const std::filesystem::path& file, const cv::Mat& array);

// Reads float32 or float64 arrays of 2 dimensions (leading dimensions of size 1 are dropped) as
// CV_32FC1. The header's length and shape are checked against the file's size before memory is
// taken. Throws Error naming what was found.
cv::Mat read_npy(const std::filesystem::path& file);

// The same for bytes in memory. encode: CV_32FC1 as float32 or CV_16UC1 as uint16, with so many
// dimensions of size 1 before [H, W]. decode: errors name `subject`.
std::string encode_npy(const cv::Mat& array, int leading_ones = 0);
cv::Mat decode_npy(std::string_view bytes, const std::string& subject);

}  // namespace dualdepth
