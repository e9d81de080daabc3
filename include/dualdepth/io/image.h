#pragma once

#include <filesystem>
#include <opencv2/core.hpp>

namespace dualdepth {

// The first bytes of a picture decide its format, not its name. Files are hostile: sizes are read
// from the header and compared with kMaxPictureSide before memory is allocated. A truncated
// file is refused, never half decoded, and so is a PNG with any damaged byte. JPEG has no checksum:
// damage is found where the data end early or break the format, but a changed bit may only change
// pixels.
inline constexpr int kMinPictureSide =
    32;  // px; less than one step of the network's coarsest scale
inline constexpr int kMaxPictureSide = 16384;  // px

// Reads a PNG or JPEG as 8-bit RGB (not BGR), CV_8UC3. Reads no EXIF rotation: pictures of a
// calibrated camera stay as the sensor saw them. Throws Error for a missing, truncated or
// undecodable file, and for a picture narrower or lower than kMinPictureSide.
cv::Mat read_rgb(const std::filesystem::path& file);

// The same, decoded at half, a quarter or an eighth of the size where the format can do that fast
// (JPEG): the smallest that has at least `wanted` in both directions. The caller resizes the rest
// of the way.
cv::Mat read_rgb_reduced(const std::filesystem::path& file, cv::Size wanted);

// Width and height from the file's header alone, without decoding.
cv::Size read_image_size(const std::filesystem::path& file);

// Reads a 16-bit grey PNG of metres * 256 (KITTI's and NCDB's depth format, 0 = no value) as
// CV_32FC1 metres. Throws Error for anything else: an 8-bit PNG, a truncated one, three channels.
cv::Mat read_depth_png(const std::filesystem::path& file);

// Reads an 8-bit picture as a mask: CV_8UC1, 255 where any channel is not 0, 0 elsewhere. Errors
// are those of read_rgb.
cv::Mat read_mask(const std::filesystem::path& file);

// Writes 8-bit RGB (CV_8UC3) or grey (CV_8UC1) as .png, .jpg or .jpeg. The file appears whole or
// not at all.
void write_rgb(const std::filesystem::path& file, const cv::Mat& rgb);

// Writes CV_32FC1 metres as 16-bit PNG of round(metres * 256), clamped to 65535 (255.996 m); values
// that are not finite or not above 0 become 0. The file appears whole or not at all.
void write_depth_png(const std::filesystem::path& file, const cv::Mat& depth);

// Depth in metres as a CV_8UC3 RGB picture: turbo reversed, equal steps of colour for equal ratios
// of depth, from red at max_depth / kDepthColorRange to blue at max_depth; nearer and farther the
// end colours stay. Pixels without depth (not finite or not above 0) are black.
inline constexpr double kDepthColorRange = 32;  // five octaves: 2.5 to 80 m
cv::Mat colorize_depth(const cv::Mat& depth, double max_depth);

// The colours of colorize_depth as a bar of this width (px) with the depth of each octave below it,
// CV_8UC3 RGB on a dark ground.
cv::Mat depth_color_scale(int width, double max_depth);

// Absolute error in metres (CV_32FC1) as RGB: black through red and yellow to white over
// 0..max_error; pixels that are not finite are black.
cv::Mat colorize_error(const cv::Mat& error, double max_error = 1.5);

// |difference| of two depths in metres (CV_32FC1) as RGB: OpenCV's plasma, equal steps of color for
// equal ratios, from dark blue at 1 mm and below through magenta to yellow at 10 m and above;
// pixels that are not finite are black.
inline constexpr double kSmallestShownDifference = 1e-3;  // m
inline constexpr double kGreatestShownDifference = 10;    // m
cv::Mat colorize_difference(const cv::Mat& difference);

// Relative error |p - g| / g (CV_32FC1) as RGB: the same colors, evenly over
// 0..kGreatestShownRelativeError; pixels that are not finite are black.
inline constexpr double kGreatestShownRelativeError = 0.25;
cv::Mat colorize_relative_error(const cv::Mat& error);

// The colors of the two as bars of this width (px), labelled, CV_8UC3 RGB on a dark ground.
cv::Mat difference_color_scale(int width);
cv::Mat relative_error_color_scale(int width);

}  // namespace dualdepth
