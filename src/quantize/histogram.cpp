#include "dualdepth/quantize/histogram.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace dualdepth::quantize {

void ValueRange::include(const ValueRange& other) {
  // A comparison with NaN is false: the first one keeps a NaN that is here, the second takes one
  // that comes.
  if (!std::isnan(low) && !(other.low >= low)) low = other.low;
  if (!std::isnan(high) && !(other.high <= high)) high = other.high;
}

bool ValueRange::is_finite() const { return std::isfinite(low) && std::isfinite(high); }

ValueRange range_of(const torch::Tensor& values) {
  const auto [low, high] = torch::aminmax(values);
  ValueRange range;
  range.include({low.item<double>(), high.item<double>()});
  return range;
}

void Histogram::add(const torch::Tensor& values) {
  const auto packed = values.to(torch::kFloat32).contiguous();
  const auto* value = packed.const_data_ptr<float>();
  const auto low = static_cast<float>(range_.low);
  const double width = range_.width();
  const auto per_bin = static_cast<float>(width > 0 ? kBins / width : 0);
  for (int64_t i = 0; i < packed.numel(); ++i) {
    const auto bin = static_cast<int64_t>((value[i] - low) * per_bin);
    ++counts_[static_cast<size_t>(std::clamp<int64_t>(bin, 0, kBins - 1))];
  }
}

void Histogram::merge(const Histogram& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

int64_t Histogram::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), int64_t{0});
}

double Histogram::centre(int64_t bin) const {
  return range_.low + (static_cast<double>(bin) + 0.5) * range_.width() / kBins;
}

double Histogram::quantile(double share) const {
  const double wanted = share * static_cast<double>(total());
  int64_t below = 0;
  for (int64_t bin = 0; bin < kBins; ++bin) {
    below += counts_[static_cast<size_t>(bin)];
    if (static_cast<double>(below) >= wanted) {
      return range_.low + static_cast<double>(bin + 1) * range_.width() / kBins;
    }
  }
  return range_.high;
}

}  // namespace dualdepth::quantize
