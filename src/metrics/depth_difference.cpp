#include "dualdepth/metrics/depth_difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

// The bits of floats that are not negative rise with their value. Without the 12 lowest ones of
// the significand, 11 of it are left: neighbouring bins differ by at most 1 part in 2048.
constexpr int kDroppedBits = 12;
constexpr size_t kBins = size_t{1} << (31 - kDroppedBits);

size_t bin_of(float value) { return std::bit_cast<uint32_t>(value) >> kDroppedBits; }

float lower_edge(size_t bin) {
  return std::bit_cast<float>(static_cast<uint32_t>(bin) << kDroppedBits);
}

bool is_depth(float value) { return std::isfinite(value) && value > 0; }

std::string shape_text(const cv::Mat& map) {
  return fmt::format("{} x {}{}", map.cols, map.rows,
                     map.type() == CV_32FC1 ? "" : " of another type than float");
}

}  // namespace

DepthDifferenceAccumulator::DepthDifferenceAccumulator(const std::vector<RangeBin>& bins)
    : counts_(kBins) {
  for (const RangeBin& bin : bins) ranges_.push_back({.range = bin});
}

void DepthDifferenceAccumulator::add(const cv::Mat& depth, const cv::Mat& reference) {
  if (depth.size() != reference.size() || depth.type() != CV_32FC1 ||
      reference.type() != CV_32FC1) {
    throw Error({.subject = "difference of two depth maps",
                 .expected = "float maps of " + shape_text(reference),
                 .got = shape_text(depth),
                 .fix = "bring both to the picture's size"});
  }
  for (int y = 0; y < depth.rows; ++y) {
    const float* p = depth.ptr<float>(y);
    const float* q = reference.ptr<float>(y);
    for (int x = 0; x < depth.cols; ++x) add_pixel(p[x], q[x]);
  }
}

void DepthDifferenceAccumulator::add_pixel(float depth, float reference) {
  if (!is_depth(reference)) return;
  ++pixels_;
  if (!is_depth(depth)) {
    ++without_depth_;
    return;
  }
  const double p = depth;
  const double q = reference;
  const double difference_mm = 1000 * std::abs(p - q);
  const double ratio = std::max(p, q) / std::min(p, q);
  sum_mm_ += difference_mm;
  within_1_25_ += ratio < 1.25 ? 1 : 0;
  within_1_05_ += ratio < 1.05 ? 1 : 0;
  ++counts_[std::min(bin_of(static_cast<float>(difference_mm)), kBins - 1)];
  for (RangeSum& bin : ranges_) {
    if (q < bin.range.low || q >= bin.range.high) continue;
    ++bin.pixels;
    bin.sum_mm += difference_mm;
  }
}

DepthDifference DepthDifferenceAccumulator::result() const {
  DepthDifference difference{.pixels = pixels_, .without_depth = without_depth_};
  for (const RangeSum& bin : ranges_) {
    const auto count = static_cast<double>(std::max<size_t>(1, bin.pixels));
    difference.bins.push_back(
        {.name = bin.range.name(), .pixels = bin.pixels, .mean_mm = bin.sum_mm / count});
  }
  if (pixels_ == 0) return difference;
  const auto all = static_cast<double>(pixels_);
  difference.within_1_25 = static_cast<double>(within_1_25_) / all;
  difference.within_1_05 = static_cast<double>(within_1_05_) / all;
  const auto compared = static_cast<int64_t>(pixels_ - without_depth_);
  if (compared == 0) return difference;
  difference.mean_mm = sum_mm_ / static_cast<double>(compared);
  int64_t below = 0;
  for (size_t bin = 0; bin < kBins; ++bin) {
    if (counts_[bin] == 0) continue;
    const float from = lower_edge(bin);
    // The first value that half of the pixels do not exceed.
    if (2 * below < compared && 2 * (below + counts_[bin]) >= compared) difference.median_mm = from;
    below += counts_[bin];
    const auto place =
        std::ranges::upper_bound(DepthDifference::kEdges, from) - DepthDifference::kEdges.begin();
    difference.histogram.at(static_cast<size_t>(place)) +=
        static_cast<double>(counts_[bin]) / static_cast<double>(compared);
  }
  return difference;
}

}  // namespace dualdepth
