#include "dualdepth/data/resize.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <opencv2/imgproc.hpp>

#include "area_resize.h"

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

// Depths are compared as the bits of their floats, which sort as the positive floats do, so that
// the compiler can do several at once (it keeps to one where a NaN might trap).
using DepthBits = int32_t;
constexpr DepthBits kInfinity = 0x7f800000;  // NaNs lie above
constexpr DepthBits kNoDepth = std::numeric_limits<DepthBits>::max();

void take_nearest(const float* depth, std::vector<DepthBits>& nearest) {
  DepthBits* best = nearest.data();
  const size_t count = nearest.size();
  for (size_t x = 0; x < count; ++x) {
    const auto bits = std::bit_cast<DepthBits>(depth[x]);
    best[x] = std::min(best[x], bits > 0 ? bits : kNoDepth);
  }
}

// Writes each pixel and moves on only behind those with depth: a branch would be guessed wrongly.
void append_row(const std::vector<DepthBits>& row, int first_pixel, SparseDepth& sparse) {
  size_t count = sparse.pixels.size();
  sparse.pixels.resize(count + row.size());
  sparse.depths.resize(count + row.size());
  for (size_t x = 0; x < row.size(); ++x) {
    sparse.pixels[count] = first_pixel + static_cast<int>(x);
    sparse.depths[count] = std::bit_cast<float>(row[x]);
    count += row[x] < kInfinity ? 1 : 0;
  }
  sparse.pixels.resize(count);
  sparse.depths.resize(count);
}

}  // namespace

cv::Mat resize_rgb(const cv::Mat& rgb, cv::Size size) {
  if (rgb.size() == size) return rgb;
  const cv::Size shrunk(std::min(rgb.cols, size.width), std::min(rgb.rows, size.height));
  cv::Mat small = rgb;
  if (shrunk != rgb.size()) small = shrink_by_area(rgb, shrunk);
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
  cv::Mat masked;
  if (!valid_mask.empty()) {
    masked = cv::Mat::zeros(region.size(), CV_32FC1);
    depth(region).copyTo(masked, valid_mask(region));
  }
  const cv::Mat source = valid_mask.empty() ? depth(region) : masked;
  // First the nearest along the columns that fall into one target row, then along that row: neither
  // pass has a branch on the data.
  std::vector<DepthBits> nearest(static_cast<size_t>(region.width), kNoDepth);
  std::vector<DepthBits> row(static_cast<size_t>(size.width));
  for (int y = 0; y < region.height; ++y) {
    take_nearest(source.ptr<float>(y), nearest);
    const int target = target_y[static_cast<size_t>(y)];
    const bool last_of_target =
        y + 1 == region.height || target_y[static_cast<size_t>(y) + 1] != target;
    if (!last_of_target) continue;
    std::fill(row.begin(), row.end(), kNoDepth);
    for (size_t x = 0; x < nearest.size(); ++x) {
      DepthBits& best = row[static_cast<size_t>(target_x[x])];
      best = std::min(best, nearest[x]);
    }
    append_row(row, target * size.width, sparse);
    std::fill(nearest.begin(), nearest.end(), kNoDepth);
  }
  return sparse;
}

}  // namespace dualdepth
