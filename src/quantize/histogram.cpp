#include "dualdepth/quantize/histogram.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "dualdepth/graph/memory_order.h"

namespace dualdepth::quantize {
namespace {

constexpr int kLeastExponent = -120;  // 2^120 is a float32

}  // namespace

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

void Histogram::widen(const ValueRange& range) {
  if (range.low >= range_.low && range.high <= range_.high) return;
  range_.include(range);
  if (!range_.is_finite()) return;
  int exponent = std::max(std::ilogb(range_.width() / kBins), kLeastExponent);
  const auto bins = [&] {
    const auto low = static_cast<int64_t>(std::floor(std::ldexp(range_.low, -exponent)));
    const auto high = static_cast<int64_t>(std::floor(std::ldexp(range_.high, -exponent)));
    return std::pair(low, high - low + 1);
  };
  while (bins().second > kBins) ++exponent;
  const auto [first, count] = bins();
  const double width = std::ldexp(1.0, exponent);
  std::vector<int64_t> counts(static_cast<size_t>(count), 0);
  const auto bin_of = [&](double value) {
    return static_cast<size_t>(static_cast<int64_t>(std::floor(value / width)) - first);
  };
  for (size_t bin = 0; bin < counts_.size(); ++bin) {
    counts[bin_of(edge(static_cast<int64_t>(bin)))] += counts_[bin];
  }
  counts[bin_of(0)] += zeros_;
  zeros_ = 0;
  first_ = first;
  width_ = width;
  counts_ = std::move(counts);
}

void Histogram::add(const torch::Tensor& added) {
  const auto values = graph::in_memory_order(added.to(torch::kFloat32));
  widen(range_of(values));
  if (!range_.is_finite()) return;
  if (width_ == 0) {
    zeros_ += values.numel();
    return;
  }
  const auto* value = values.const_data_ptr<float>();
  const auto per_bin = static_cast<float>(1 / width_);  // exact: a power of two
  const auto first = static_cast<float>(first_);
  int64_t* counts = counts_.data();
  const auto last = static_cast<int64_t>(counts_.size()) - 1;
  for (int64_t i = 0; i < values.numel(); ++i) {
    const auto bin = static_cast<int64_t>(std::floor(value[i] * per_bin) - first);
    ++counts[std::clamp<int64_t>(bin, 0, last)];  // denormals may be flushed here and not above
  }
}

void Histogram::merge(const Histogram& other) {
  widen(other.range_);
  if (!range_.is_finite()) return;
  zeros_ += other.zeros_;
  if (width_ == 0) return;
  counts_[static_cast<size_t>(-first_)] += zeros_;
  zeros_ = 0;
  for (size_t bin = 0; bin < other.counts_.size(); ++bin) {
    const double edge = other.edge(static_cast<int64_t>(bin));
    counts_[static_cast<size_t>(static_cast<int64_t>(std::floor(edge / width_)) - first_)] +=
        other.counts_[bin];
  }
}

int64_t Histogram::total() const { return std::accumulate(counts_.begin(), counts_.end(), zeros_); }

double Histogram::quantile(double share) const {
  const double sought = share * static_cast<double>(total());
  int64_t below = 0;
  for (size_t bin = 0; bin < counts_.size(); ++bin) {
    below += counts_[bin];
    if (static_cast<double>(below) >= sought) {
      return std::clamp(edge(static_cast<int64_t>(bin) + 1), range_.low, range_.high);
    }
  }
  return range_.high;
}

double Histogram::least() const {
  const auto first = std::ranges::find_if(counts_, [](int64_t count) { return count > 0; });
  if (first == counts_.end()) return 0;
  return std::max(edge(first - counts_.begin()), range_.low);
}

double Histogram::deviation() const {
  double sum = 0;
  double squares = 0;
  for (size_t bin = 0; bin < counts_.size(); ++bin) {
    const double x = center(static_cast<int64_t>(bin));
    sum += static_cast<double>(counts_[bin]) * x;
    squares += static_cast<double>(counts_[bin]) * x * x;
  }
  const auto count = static_cast<double>(std::max<int64_t>(total(), 1));
  return std::sqrt(std::max(0.0, squares / count - sum / count * (sum / count)));
}

}  // namespace dualdepth::quantize
