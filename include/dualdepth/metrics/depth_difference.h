#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "dualdepth/metrics/protocol.h"

namespace dualdepth {

// |p - q| over the pixels whose depth q lies in a range.
struct RangeDifference {
  std::string name;  // RangeBin::name()
  size_t pixels = 0;
  double mean_mm = 0;
};

// How far one model's depth p lies from another's depth q, in the same pictures, over all pixels
// with or without ground truth. It answers what 8 bits did to a network, which metrics against
// ground truth hide: errors of both signs cancel in them, and sky counts for nothing.
//
//   mean_mm      mean |p - q|                                mm
//   median_mm    median |p - q|                              mm, at most 0.05 % too small
//   within_1_25  share of pixels with max(p/q, q/p) < 1.25   0..1
//   within_1_05  share of pixels with max(p/q, q/p) < 1.05   0..1
//
// A pixel counts where q is depth (finite and above 0). Where p is no depth there, the pixel is
// `without_depth`: it lies within neither factor and has no part in mean, median and histogram.
struct DepthDifference {
  // Edges of the histogram in mm; its first bin begins at 0 and its last one has no end.
  static constexpr std::array<int, 13> kEdges{1,   2,   5,    10,   20,   50,   100,
                                              200, 500, 1000, 2000, 5000, 10000};

  size_t pixels = 0;
  size_t without_depth = 0;
  double mean_mm = 0, median_mm = 0;
  double within_1_25 = 0, within_1_05 = 0;
  // Share of the pixels with |p - q| below kEdges[0], in [kEdges[i-1], kEdges[i]), and so on.
  std::array<double, kEdges.size() + 1> histogram{};
  std::vector<RangeDifference> bins = {};
};

// Gathers a DepthDifference picture by picture, in memory that does not grow with them.
class DepthDifferenceAccumulator {
 public:
  // bins: ranges of q that are also measured each by itself.
  explicit DepthDifferenceAccumulator(const std::vector<RangeBin>& bins = {});

  // depth (p) and reference (q): CV_32FC1 metres of the same size; throws Error otherwise.
  void add(const cv::Mat& depth, const cv::Mat& reference);

  // All zero without a pixel.
  DepthDifference result() const;

 private:
  struct RangeSum {
    RangeBin range;
    size_t pixels = 0;
    double sum_mm = 0;
  };

  void add_pixel(float depth, float reference);

  std::vector<RangeSum> ranges_;
  size_t pixels_ = 0, without_depth_ = 0, within_1_25_ = 0, within_1_05_ = 0;
  double sum_mm_ = 0;
  std::vector<int64_t> counts_;  // by the leading bits of the difference, which rise with it
};

}  // namespace dualdepth
