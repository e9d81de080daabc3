#include "dualdepth/metrics/mean_interval.h"

#include <cmath>
#include <numbers>
#include <numeric>

namespace dualdepth {
namespace {

// P(|T| <= t).
double probability_within(double t, size_t degrees) {
  const double angle = std::atan(t / std::sqrt(static_cast<double>(degrees)));
  const double sine = std::sin(angle);
  const double cosine = std::cos(angle);
  const bool is_odd = degrees % 2 == 1;
  if (degrees == 1) return 2 * angle / std::numbers::pi;
  // The sum's terms are cos^k times (k - 1)(k - 3).../(k (k - 2)...), k odd or even as `degrees`
  // is not, from cos or 1 on.
  double term = is_odd ? cosine : 1;
  double sum = term;
  for (size_t k = is_odd ? 3 : 2; k + 2 <= degrees; k += 2) {
    term *= cosine * cosine * static_cast<double>(k - 1) / static_cast<double>(k);
    sum += term;
  }
  return is_odd ? 2 / std::numbers::pi * (angle + sine * sum) : sine * sum;
}

}  // namespace

double student_quantile(double p, size_t degrees) {
  const double within = 2 * p - 1;
  double low = 0;
  double high = 1;
  while (probability_within(high, degrees) < within) high *= 2;
  while (high - low > 1e-10 * high) {
    const double middle = (low + high) / 2;
    (probability_within(middle, degrees) < within ? low : high) = middle;
  }
  return (low + high) / 2;
}

MeanInterval mean_interval(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  MeanInterval interval{.mean = std::accumulate(values.begin(), values.end(), 0.0) / count,
                        .count = values.size()};
  if (values.size() < 2) return interval;
  double squares = 0;
  for (const double value : values) {
    squares += (value - interval.mean) * (value - interval.mean);
  }
  const double error = std::sqrt(squares / (count - 1) / count);
  interval.half_width = student_quantile(0.975, values.size() - 1) * error;
  return interval;
}

}  // namespace dualdepth
