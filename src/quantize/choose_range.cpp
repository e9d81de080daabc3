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
constexpr int64_t kSteps = 256;

double share(int trial) { return 1 - (1 - kLeastShare) * trial / (kTrials - 1); }

// Sum of (x - q(x))^2 over a histogram's values.
double square_error(const Histogram& histogram, const ValueRange& range) {
  const double scale = range.width() / (kSteps - 1);
  if (!(scale > 0)) return std::numeric_limits<double>::infinity();
  const double zero = std::round(-range.low / scale);
  double sum = 0;
  for (int64_t bin = 0; bin < Histogram::kBins; ++bin) {
    const int64_t count = histogram.counts()[static_cast<size_t>(bin)];
    if (count == 0) continue;
    const double x = histogram.centre(bin);
    // Exact zeros, half of all values behind a Relu, are on every grid.
    if (histogram.range().low == 0 && bin == 0) continue;
    const double step = std::clamp(std::nearbyint(x / scale) + zero, 0.0, kSteps - 1.0) - zero;
    const double error = x - step * scale;
    // Within a bin values spread evenly.
    sum += static_cast<double>(count) * error * error;
  }
  return sum;
}

ValueRange least_square_error(const Histogram& histogram) {
  const ValueRange seen = histogram.range();
  ValueRange best = seen;
  double least = std::numeric_limits<double>::infinity();
  for (int high = 0; high < kTrials; ++high) {
    for (int low = 0; low < (seen.low < 0 ? kTrials : 1); ++low) {
      const ValueRange trial{seen.low * share(low), seen.high * share(high)};
      const double error = square_error(histogram, trial);
      if (error < least) {
        least = error;
        best = trial;
      }
    }
  }
  return best;
}

// Divergence of the clipped distribution P from Q, P said in 256 steps.
double divergence(const Histogram& histogram, const ValueRange& range) {
  std::vector<double> p;
  double below = 0;
  double above = 0;
  for (int64_t bin = 0; bin < Histogram::kBins; ++bin) {
    const double x = histogram.centre(bin);
    const auto count = static_cast<double>(histogram.counts()[static_cast<size_t>(bin)]);
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
  for (size_t step = 0; step < kSteps; ++step) {
    const size_t begin = step * p.size() / kSteps;
    const size_t end = (step + 1) * p.size() / kSteps;
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

ValueRange least_divergence(const Histogram& histogram) {
  const ValueRange seen = histogram.range();
  ValueRange best = seen;
  double least = std::numeric_limits<double>::infinity();
  for (int trial = 0; trial < kTrials; ++trial) {
    const ValueRange clipped{seen.low * share(trial), seen.high * share(trial)};
    const double divergent = divergence(histogram, clipped);
    if (divergent < least) {
      least = divergent;
      best = clipped;
    }
  }
  return best;
}

}  // namespace

ValueRange choose_range(const Histogram& histogram, RangeMethod method) {
  const ValueRange seen = histogram.range();
  if (seen.width() <= 0 || histogram.total() == 0) return seen;
  switch (method) {
    case RangeMethod::kMinMax:
      return seen;
    case RangeMethod::kPercentile:
      return {seen.low < 0 ? std::min(0.0, histogram.quantile(kLeftOut)) : 0,
              std::max(0.0, histogram.quantile(1 - kLeftOut))};
    case RangeMethod::kMse:
      return least_square_error(histogram);
    case RangeMethod::kEntropy:
      return least_divergence(histogram);
  }
  return seen;
}

graph::FakeQuantize to_grid(const ValueRange& range, bool is_symmetric) {
  if (is_symmetric) {
    const double scale = std::max({-range.low, range.high, 127 * kLeastScale}) / 127;
    return {static_cast<float>(scale), 0, true};
  }
  const double scale = std::max(range.width() / (kSteps - 1), kLeastScale);
  const auto zero = static_cast<int64_t>(std::nearbyint(-range.low / scale));
  return {static_cast<float>(scale), std::clamp<int64_t>(zero, 0, kSteps - 1), false};
}

ValueRange range_of(const graph::FakeQuantize& grid) {
  const double first = grid.is_signed ? -128 : 0;
  const auto zero = static_cast<double>(grid.zero_point);
  return {(first - zero) * grid.scale, (first + 255 - zero) * grid.scale};
}

}  // namespace dualdepth::quantize
