#include "dualdepth/metrics/depth_distribution.h"

#include <algorithm>
#include <cmath>

namespace dualdepth {

namespace {
constexpr double kDecades = 100;  // two of them
}

DepthDistribution::DepthDistribution(const Protocol& protocol)
    : high_(std::min(protocol.max_depth, protocol.max_prediction)),
      counts_(static_cast<size_t>(kCells) * kCells),
      sums_(kIntervals) {
  low_ = std::max({protocol.min_depth, protocol.min_prediction, high_ / kDecades});
}

size_t DepthDistribution::cell_of(float depth) const {
  const double share = std::log(depth / low_) / std::log(high_ / low_);
  return static_cast<size_t>(std::clamp(share * kCells, 0.0, kCells - 1.0));
}

void DepthDistribution::add(std::span<const float> prediction, std::span<const float> truth) {
  for (size_t i = 0; i < truth.size(); ++i) {
    ++counts_[cell_of(truth[i]) * kCells + cell_of(prediction[i])];
    const double share = std::clamp(truth[i] / high_ * kIntervals, 0.0, kIntervals - 1.0);
    Sums& sums = sums_[static_cast<size_t>(share)];
    const double error = std::abs(static_cast<double>(prediction[i]) - truth[i]);
    ++sums.pixels;
    sums.relative += error / truth[i];
    sums.absolute += error;
  }
}

std::vector<DistanceError> DepthDistribution::distance_errors() const {
  std::vector<DistanceError> errors;
  for (size_t i = 0; i < sums_.size(); ++i) {
    const Sums& sums = sums_[i];
    const auto n = static_cast<double>(std::max<size_t>(sums.pixels, 1));
    const double width = high_ / kIntervals;
    errors.push_back({.from = width * static_cast<double>(i),
                      .to = width * static_cast<double>(i + 1),
                      .pixels = sums.pixels,
                      .abs_rel = sums.relative / n,
                      .mae = sums.absolute / n});
  }
  return errors;
}

}  // namespace dualdepth
