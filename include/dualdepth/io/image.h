#pragma once

#include <filesystem>
#include <opencv2/core.hpp>
#include <optional>

namespace dualdepth {

// Reads a PNG or JPEG as 8-bit RGB (not BGR), CV_8UC3. Reads no EXIF rotation: pictures of a
// calibrated camera stay as the sensor saw them. Throws Error for a missing, truncated or
// undecodable file, and for a picture narrower or lower than 32 pixels.
cv::Mat read_rgb(const std::filesystem::path& file);

// Height and width from the file's header alone, without decoding.
cv::Size read_image_size(const std::filesystem::path& file);

// Reads a 16-bit single-channel PNG of metres * 256 (KITTI's and NCDB's depth format, 0 = no value)
// as CV_32FC1 metres. Throws Error for anything else: an 8-bit PNG, a truncated one, three
// channels.
cv::Mat read_depth_png(const std::filesystem::path& file);

// Writes 8-bit RGB or grey as PNG or JPEG (by extension), atomically.
void write_rgb(const std::filesystem::path& file, const cv::Mat& rgb);

// Writes CV_32FC1 metres as 16-bit PNG of round(metres * 256), clamped to 65535; values that are
// not finite or not above 0 become 0. Atomically.
void write_depth_png(const std::filesystem::path& file, const cv::Mat& depth);

// Depth in metres as a CV_8UC3 RGB picture: turbo reversed (near is red, far is blue) over a fixed
// range; pixels without depth are black.
cv::Mat colorize_depth(const cv::Mat& depth, double min_depth, double max_depth);

// Absolute error in metres as RGB: black through red and yellow to white over 0..max_error.
cv::Mat colorize_error(const cv::Mat& error, double max_error = 1.5);

}  // namespace dualdepth
