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
};

// Of one tensor with 0.
ValueRange range_of(const torch::Tensor& values);

// How often values fall into kBins bins of equal width between the ends of a range. Whole numbers,
// so that the order in which pictures are added has no influence.
class Histogram {
 public:
  static constexpr int64_t kBins = 2048;

  explicit Histogram(ValueRange range) : range_(range), counts_(kBins, 0) {}

  // values: float32 of any shape. Those outside the range count in the first or last bin.
  void add(const torch::Tensor& values);
  void merge(const Histogram& other);  // of the same range

  const ValueRange& range() const { return range_; }
  const std::vector<int64_t>& counts() const { return counts_; }
  int64_t total() const;
  double centre(int64_t bin) const;

  // The value below which this share of all lies, at a bin's edge; share in 0..1.
  double quantile(double share) const;

 private:
  ValueRange range_;
  std::vector<int64_t> counts_;
};

}  // namespace dualdepth::quantize
