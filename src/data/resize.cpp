#include "dualdepth/data/resize.h"

#include <cmath>
#include <opencv2/imgproc.hpp>

namespace dualdepth {
namespace {

// For each source column or row of the region, the target one its centre falls into.
std::vector<int> target_of_each(int source_length, int target_length) {
  std::vector<int> target(static_cast<size_t>(source_length));
  for (int i = 0; i < source_length; ++i) {
    target[static_cast<size_t>(i)] =
        static_cast<int>((int64_t{2} * i + 1) * target_length / (int64_t{2} * source_length));
  }
  return target;
}

}  // namespace

cv::Mat resize_rgb(const cv::Mat& rgb, cv::Size size) {
  if (rgb.size() == size) return rgb;
  const cv::Size shrunk(std::min(rgb.cols, size.width), std::min(rgb.rows, size.height));
  cv::Mat small = rgb;
  if (shrunk != rgb.size()) cv::resize(rgb, small, shrunk, 0, 0, cv::INTER_AREA);
  if (shrunk == size) return small;
  cv::Mat resized;
  cv::resize(small, resized, size, 0, 0, cv::INTER_LINEAR);
  return resized;
}

SparseDepth scatter_depth(const cv::Mat& depth, const cv::Mat& valid_mask, cv::Rect region,
                          cv::Size size) {
  const std::vector<int> target_x = target_of_each(region.width, size.width);
  const std::vector<int> target_y = target_of_each(region.height, size.height);
  SparseDepth sparse;
  std::vector<float> nearest(static_cast<size_t>(size.width));  // of one target row; 0: none
  const auto flush = [&](int y) {
    for (int x = 0; x < size.width; ++x) {
      float& metres = nearest[static_cast<size_t>(x)];
      if (metres == 0) continue;
      sparse.pixels.push_back(y * size.width + x);
      sparse.depths.push_back(std::exchange(metres, 0.0F));
    }
  };
  for (int y = 0; y < region.height; ++y) {
    const int row = target_y[static_cast<size_t>(y)];
    const float* source = depth.ptr<float>(region.y + y) + region.x;
    const uchar* mask =
        valid_mask.empty() ? nullptr : valid_mask.ptr<uchar>(region.y + y) + region.x;
    for (int x = 0; x < region.width; ++x) {
      const float metres = source[x];
      if (!(metres > 0) || !std::isfinite(metres) || (mask && mask[x] == 0)) continue;
      float& best = nearest[static_cast<size_t>(target_x[static_cast<size_t>(x)])];
      if (best == 0 || metres < best) best = metres;
    }
    const bool last_of_row = y + 1 == region.height || target_y[static_cast<size_t>(y + 1)] != row;
    if (last_of_row) flush(row);
  }
  return sparse;
}

}  // namespace dualdepth
