#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace dualdepth {

// Metrics of one picture (or of pooled pixels) over n pairs of prediction p and truth g in metres,
// with e = ln p - ln g.
//
//   abs_rel        mean |p-g| / g
//   sq_rel         mean (p-g)^2 / g                    m
//   rmse           sqrt mean (p-g)^2                   m
//   rmse_log       sqrt mean e^2
//   log10          mean |log10 p - log10 g|
//   silog          100 sqrt(mean e^2 - (mean e)^2)     100 ln m, as KITTI's server shows it
//   irmse          sqrt mean (1000/p - 1000/g)^2       1/km
//   mae            mean |p-g|                          m
//   d1, d2, d3     share of max(p/g, g/p) < 1.25, 1.25^2, 1.25^3
//   abs_error_rel  100 mean |p-g| / g                  %, the devkit's absErrorRel
//   sq_error_rel   100 mean ((p-g) / g)^2              %, the devkit's sqErrorRel
//
// Sources: Eigen, Puhrsch, Fergus, "Depth Map Prediction from a Single Image using a Multi-Scale
// Deep Network", 2014; the development kit of KITTI's depth prediction benchmark.
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

// One metric by its name. Throws Error that suggests the nearest name.
double metric_value(const DepthMetrics& metrics, std::string_view name);

// Whether a smaller value is better: true for all but d1, d2, d3. Throws Error for an unknown name.
bool lower_is_better(std::string_view metric);

// Sums over pixels, in double: add pixels, then read the means.
class MetricAccumulator {
 public:
  // p and g > 0, metres, same length.
  void add(std::span<const float> prediction, std::span<const float> truth);

  // As if the other's pixels had been added here.
  void add(const MetricAccumulator& other);

  size_t pixels() const { return pixels_; }

  // pixels() > 0.
  DepthMetrics metrics() const;

 private:
  enum Sum {
    kAbs,
    kAbsRel,
    kSqRel,
    kSqRelSq,
    kSq,
    kLog,
    kLogSq,
    kLog10,
    kInvSq,
    kD1,
    kD2,
    kD3,
    kSums
  };

  size_t pixels_ = 0;
  std::array<double, kSums> sums_{};
};

}  // namespace dualdepth
