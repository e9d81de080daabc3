#include "dualdepth/quantize/choose_range.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace dualdepth::quantize {
namespace {

constexpr double kLeftOut = 1e-4;
constexpr int kTrials = 36;
constexpr double kLeastShare = 0.3;
constexpr double kLeastScale = 1e-8;  // of a value that is always 0

double share(int trial) { return 1 - (1 - kLeastShare) * trial / (kTrials - 1); }

// Bins that hold values which rounding may change: a center and how many.
struct Bins {
  std::vector<double> centers, counts;

  explicit Bins(const Histogram& histogram) {
    for (size_t bin = 0; bin < histogram.counts().size(); ++bin) {
      // Exact zeros, half of all values behind a Relu, are a code of every scale.
      const bool zeros = histogram.range().low == 0 && bin == 0;
      if (histogram.counts()[bin] == 0 || zeros) continue;
      centers.push_back(histogram.center(static_cast<int64_t>(bin)));
      counts.push_back(static_cast<double>(histogram.counts()[bin]));
    }
  }
};

// Sum of (x - q(x))^2, all values of a bin at its center.
double square_error(const Bins& bins, const graph::FakeQuantize& grid) {
  const double scale = grid.scale;
  const auto least = static_cast<double>(grid.first_code() - grid.zero_point);
  const auto greatest = static_cast<double>(grid.last_code() - grid.zero_point);
  double sum = 0;
  for (size_t i = 0; i < bins.centers.size(); ++i) {
    const double x = bins.centers[i];
    const double code = std::clamp(std::nearbyint(x / scale), least, greatest);
    const double error = x - code * scale;
    sum += bins.counts[i] * error * error;
  }
  return sum;
}

// Around 0 up to this share of the greater end, and no further than what was seen.
ValueRange symmetric_share(const ValueRange& seen, double share) {
  const double greatest = share * std::max(-seen.low, seen.high);
  return {std::max(seen.low, -greatest), std::min(seen.high, greatest)};
}

// What is tried: both ends separately, or around 0 where the format is.
std::vector<ValueRange> clipped_ranges(const ValueRange& seen, const ValueFormat& format) {
  std::vector<ValueRange> ranges;
  for (int high = 0; high < kTrials; ++high) {
    if (format.is_symmetric) {
      ranges.push_back(symmetric_share(seen, share(high)));
      continue;
    }
    for (int low = 0; low < (seen.low < 0 ? kTrials : 1); ++low) {
      ranges.push_back({seen.low * share(low), seen.high * share(high)});
    }
  }
  return ranges;
}

ValueRange least_square_error(const Histogram& histogram, const ValueFormat& format) {
  const Bins bins(histogram);
  ValueRange best = histogram.range();
  double least = std::numeric_limits<double>::infinity();
  for (const ValueRange& trial : clipped_ranges(histogram.range(), format)) {
    if (!(trial.width() > 0)) continue;
    const double error = square_error(bins, to_grid(trial, format));
    if (error < least) {
      least = error;
      best = trial;
    }
  }
  return best;
}

// Divergence of the clipped distribution P from Q, which is P in so many codes.
double divergence(const Histogram& histogram, const ValueRange& range, size_t codes) {
  std::vector<double> p;
  double below = 0;
  double above = 0;
  for (size_t bin = 0; bin < histogram.counts().size(); ++bin) {
    const double x = histogram.center(static_cast<int64_t>(bin));
    const auto count = static_cast<double>(histogram.counts()[bin]);
    if (x < range.low) {
      below += count;
    } else if (x > range.high) {
      above += count;
    } else {
      p.push_back(count);
    }
  }
  if (p.empty()) return std::numeric_limits<double>::infinity();
  std::vector<double> q(p.size(), 0);
  for (size_t code = 0; code < codes; ++code) {
    const size_t begin = code * p.size() / codes;
    const size_t end = (code + 1) * p.size() / codes;
    double sum = 0;
    double alive = 0;
    for (size_t i = begin; i < end; ++i) {
      sum += p[i];
      alive += p[i] > 0 ? 1 : 0;
    }
    for (size_t i = begin; i < end; ++i) {
      if (p[i] > 0) q[i] = sum / alive;
    }
  }
  p.front() += below;
  p.back() += above;
  double p_sum = 0;
  double q_sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    p_sum += p[i];
    q_sum += q[i];
  }
  if (q_sum == 0) return std::numeric_limits<double>::infinity();
  constexpr double kNothing = 1e-12;
  double result = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    if (p[i] > 0)
      result += p[i] / p_sum * std::log(p[i] / p_sum / std::max(q[i] / q_sum, kNothing));
  }
  return result;
}

ValueRange least_divergence(const Histogram& histogram, const ValueFormat& format) {
  const ValueRange seen = histogram.range();
  ValueRange best = seen;
  double least = std::numeric_limits<double>::infinity();
  for (int trial = 0; trial < kTrials; ++trial) {
    const ValueRange clipped = format.is_symmetric
                                   ? symmetric_share(seen, share(trial))
                                   : ValueRange{seen.low * share(trial), seen.high * share(trial)};
    const auto codes = std::lround(clipped.width() / to_grid(clipped, format).scale) + 1;
    const double divergent = divergence(histogram, clipped, static_cast<size_t>(codes));
    if (divergent < least) {
      least = divergent;
      best = clipped;
    }
  }
  return best;
}

}  // namespace

ValueRange choose_range(const Histogram& histogram, RangeMethod method, const ValueFormat& format) {
  const ValueRange seen = histogram.range();
  if (seen.width() <= 0 || histogram.total() == 0) return seen;
  switch (method) {
    case RangeMethod::kMinMax:
      return seen;
    case RangeMethod::kPercentile:
      return {seen.low < 0 ? std::min(0.0, histogram.quantile(kLeftOut)) : 0,
              std::max(0.0, histogram.quantile(1 - kLeftOut))};
    case RangeMethod::kMse:
      return least_square_error(histogram, format);
    case RangeMethod::kEntropy:
      return least_divergence(histogram, format);
  }
  return seen;
}

double allowed_scale(double scale, bool power_of_two) {
  const double least = std::max(scale, kLeastScale);
  return power_of_two ? std::exp2(std::ceil(std::log2(least) - 1e-9)) : least;
}

int64_t code_count(int64_t bits) { return int64_t{1} << bits; }

graph::FakeQuantize to_grid(const ValueRange& range, const ValueFormat& format) {
  const int64_t codes = code_count(format.bits);
  graph::FakeQuantize value{.is_signed = format.is_symmetric, .bits = format.bits};
  const int64_t greatest = format.is_symmetric ? codes / 2 - 1 : codes - 1;
  const auto steps = static_cast<double>(greatest);
  const double width = format.is_symmetric ? std::max(-range.low, range.high) : range.width();
  const double scale = allowed_scale(width / steps, format.has_power_of_two_scale);
  value.scale = static_cast<float>(scale);
  if (!format.is_symmetric) {
    const auto zero = static_cast<int64_t>(std::nearbyint(-range.low / scale));
    value.zero_point = std::clamp<int64_t>(zero, 0, codes - 1);
  }
  return value;
}

ValueRange range_of(const graph::FakeQuantize& value) {
  const auto first = static_cast<double>(value.first_code() - value.zero_point);
  const auto last = static_cast<double>(value.last_code() - value.zero_point);
  return {first * value.scale, last * value.scale};
}

}  // namespace dualdepth::quantize
