#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dualdepth/metrics/protocol.h"

namespace dualdepth {

// Errors of the pixels whose truth lies in [from, to).
struct DistanceError {
  double from = 0, to = 0;  // m
  size_t pixels = 0;
  double abs_rel = 0;  // mean |p-g| / g
  double mae = 0;      // mean |p-g|, m
};

// How predicted and true depth lie together, pooled over pixels, in a size that does not grow with
// them: what the plots of a report show.
class DepthDistribution {
 public:
  static constexpr int kCells = 64;
  static constexpr int kIntervals = 24;

  // Over the protocol's range; two decades below its end where it begins nearer than that.
  explicit DepthDistribution(const Protocol& protocol);

  // Same length, metres.
  void add(std::span<const float> prediction, std::span<const float> truth);

  double low() const { return low_; }    // m
  double high() const { return high_; }  // m

  // Pixels by [truth][prediction], each axis in kCells steps of equal ratio from low() to high(),
  // row by row; values beyond count in the outermost cells.
  const std::vector<int64_t>& counts() const { return counts_; }

  // kIntervals of equal width from 0 to high().
  std::vector<DistanceError> distance_errors() const;

 private:
  struct Sums {
    size_t pixels = 0;
    double relative = 0;
    double absolute = 0;
  };

  size_t cell_of(float depth) const;

  double low_;
  double high_;
  std::vector<int64_t> counts_;
  std::vector<Sums> sums_;
};

}  // namespace dualdepth
