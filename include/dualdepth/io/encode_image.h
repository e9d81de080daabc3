#pragma once

#include <opencv2/core/mat.hpp>
#include <string>

namespace dualdepth {

// Bytes of a PNG file. picture: CV_8UC1, CV_8UC3 (RGB), CV_8UC4 (RGBA) or CV_16UC1, not empty.
std::string encode_png(const cv::Mat& picture);

// Bytes of a baseline JPEG file. picture: CV_8UC1 or CV_8UC3 (RGB, colours at half the resolution),
// not empty, with sides of at most 65535 pixels. quality: 1..100.
inline constexpr int kDefaultJpegQuality = 95;
std::string encode_jpeg(const cv::Mat& picture, int quality = kDefaultJpegQuality);

}  // namespace dualdepth
