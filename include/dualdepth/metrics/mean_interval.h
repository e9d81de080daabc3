#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace dualdepth {

// The mean of some values with its 95 % confidence interval.
struct MeanInterval {
  double mean = 0;
  size_t count = 0;
  // Half the interval's width: it is mean +- this. Nothing for a single value, which says nothing
  // of how much values scatter.
  std::optional<double> half_width = {};

  bool is_significant() const { return half_width && (mean > *half_width || -mean > *half_width); }
};

// Student's interval of values that were drawn independently, such as the same network trained from
// several seeds:
//
//   mean +- t(0.975, n - 1) s / sqrt(n),   s^2 = sum (x - mean)^2 / (n - 1)
//
// With pairs (two networks from the same seeds), take it of their differences. `values` is not
// empty and holds finite numbers.
MeanInterval mean_interval(std::span<const double> values);

// The p-quantile of Student's t distribution with so many degrees of freedom (from 1), for p from
// 0.5 to 0.9999, to 1e-9. The distribution function is the finite sum for whole degrees of freedom
// of Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.
double student_quantile(double p, size_t degrees);

}  // namespace dualdepth
