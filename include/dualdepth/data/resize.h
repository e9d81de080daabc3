#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <vector>

namespace dualdepth {

// Resizes CV_8UC3 to what the network sees, for training and for prediction alike: in a direction
// that shrinks, each target pixel is the mean of the area it covers (no aliasing at any factor); in
// one that grows, bilinear. Pixel centres lie at (i + 0.5) * factor - 0.5.
cv::Mat resize_rgb(const cv::Mat& rgb, cv::Size size);

// Depth as a list of pixels. At KITTI's density (5 %) it is smaller than a map.
struct SparseDepth {
  std::vector<int32_t> pixels;  // y * width + x, ascending
  std::vector<float> depths;    // metres, > 0
};

// Brings the depth inside `region` to `size` without making up values: the pixel (x, y) goes to
// (floor((x - region.x + 0.5) * size.width / region.width), the same for y), and where several meet
// the nearest surface wins. Values that are not finite or not above 0 are none, and so are those
// where `valid_mask` (CV_8UC1 or empty: all) is 0.
SparseDepth scatter_depth(const cv::Mat& depth, const cv::Mat& valid_mask, cv::Rect region,
                          cv::Size size);

}  // namespace dualdepth
