#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

namespace dualdepth {

// Metrics of one picture (or of pooled pixels) over n pairs of prediction p and truth g, metres.
//
//   abs_rel = mean |p-g|/g          sq_rel = mean (p-g)^2/g         mae  = mean |p-g|
//   rmse = sqrt mean (p-g)^2        rmse_log = sqrt mean e^2        e = ln p - ln g
//   log10 = mean |log10 p - log10 g|
//   silog = 100 * sqrt(mean e^2 - (mean e)^2)                        (devkit and server unit: 100
//   ln m) irmse = sqrt mean (1000/p - 1000/g)^2                            1/km d1, d2, d3 = share
//   of max(p/g, g/p) < 1.25^i sq_error_rel = 100 * mean ((p-g)/g)^2 devkit sqErrorRel, %
//   abs_error_rel = 100 * mean |p-g|/g                               devkit absErrorRel, %
struct DepthMetrics {
  double abs_rel = 0, sq_rel = 0, rmse = 0, rmse_log = 0, log10 = 0, silog = 0, irmse = 0, mae = 0;
  double d1 = 0, d2 = 0, d3 = 0;
  double abs_error_rel = 0, sq_error_rel = 0;

  // All of them by name, in this order, for tables and files.
  template <class Visitor>
  static void visit_fields(Visitor&& visit) {
    visit("abs_rel", &DepthMetrics::abs_rel);
    visit("sq_rel", &DepthMetrics::sq_rel);
    visit("rmse", &DepthMetrics::rmse);
    visit("rmse_log", &DepthMetrics::rmse_log);
    visit("log10", &DepthMetrics::log10);
    visit("silog", &DepthMetrics::silog);
    visit("irmse", &DepthMetrics::irmse);
    visit("mae", &DepthMetrics::mae);
    visit("d1", &DepthMetrics::d1);
    visit("d2", &DepthMetrics::d2);
    visit("d3", &DepthMetrics::d3);
    visit("abs_error_rel", &DepthMetrics::abs_error_rel);
    visit("sq_error_rel", &DepthMetrics::sq_error_rel);
  }
};

// Whether a smaller value is better: true for all but d1, d2, d3. Throws Error for an unknown name.
bool lower_is_better(std::string_view metric);

// Sums over pixels, in double: add pixels, then read the means.
class MetricAccumulator {
 public:
  // p and g > 0, metres, same length.
  void add(std::span<const float> prediction, std::span<const float> truth);
  size_t pixels() const { return pixels_; }
  DepthMetrics metrics() const;

 private:
  size_t pixels_ = 0;
  std::array<double, 16> sums_{};
};

}  // namespace dualdepth
