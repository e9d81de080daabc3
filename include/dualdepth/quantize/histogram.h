#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace dualdepth::quantize {

// Least and greatest of some values; low <= 0 <= high, since 0 lies on every grid.
struct ValueRange {
  double low = 0;
  double high = 0;

  // Extends the range. NaN and infinity on either side stay, whatever is included afterwards.
  void include(const ValueRange& other);
  bool is_finite() const;
  double width() const { return high - low; }
  bool operator==(const ValueRange&) const = default;
};

// Of one tensor with 0.
ValueRange range_of(const torch::Tensor& values);

// How often values fall into bins of width 2^k whose edges are multiples of 2^k. k is the smallest
// for which all values seen so far lie in at most kBins bins; bins are merged in pairs when it
// grows. The counts depend on the values alone, not on the order in which tensors are added or
// histograms merged, and one pass over the values is enough.
class Histogram {
 public:
  static constexpr int64_t kBins = 4096;

  // added: float32 of any shape. Once a value is not finite the range is not either, and nothing
  // is counted any more.
  void add(const torch::Tensor& added);
  void merge(const Histogram& other);

  const ValueRange& range() const { return range_; }
  int64_t total() const;

  // Bin i holds values from edge(i) to below edge(i + 1).
  const std::vector<int64_t>& counts() const { return counts_; }
  double edge(int64_t bin) const { return static_cast<double>(first_ + bin) * width_; }
  double center(int64_t bin) const { return edge(bin) + width_ / 2; }

  // Returns the value below which this share of all lies, at a bin's upper edge and inside the
  // range; share in 0..1.
  double quantile(double share) const;

  // The least value that was added, to the lower edge of its bin; 0 without any.
  double least() const;

  // Standard deviation, of bin centers.
  double deviation() const;

 private:
  void widen(const ValueRange& range);  // until it lies inside the bins

  ValueRange range_;
  std::vector<int64_t> counts_;  // empty as long as all values are 0
  int64_t first_ = 0;            // number of the first bin
  double width_ = 0;
  int64_t zeros_ = 0;  // counted before there is a width
};

}  // namespace dualdepth::quantize
