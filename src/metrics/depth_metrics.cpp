#include "dualdepth/metrics/depth_metrics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/base/nearest_name.h"

namespace dualdepth {
namespace {

double DepthMetrics::*find_metric(std::string_view name) {
  double DepthMetrics::*found = nullptr;
  std::vector<std::string_view> known;
  DepthMetrics::visit_fields([&](std::string_view candidate, double DepthMetrics::*member) {
    if (candidate == name) found = member;
    known.push_back(candidate);
  });
  if (found == nullptr) {
    throw Error({.subject = "metric",
                 .expected = "the name of a depth metric",
                 .got = std::string(name),
                 .fix = suggest_name(name, known)});
  }
  return found;
}

}  // namespace

double metric_value(const DepthMetrics& metrics, std::string_view name) {
  return metrics.*find_metric(name);
}

bool lower_is_better(std::string_view metric) {
  const auto member = find_metric(metric);
  return member != &DepthMetrics::d1 && member != &DepthMetrics::d2 && member != &DepthMetrics::d3;
}

void MetricAccumulator::add(std::span<const float> prediction, std::span<const float> truth) {
  assert(prediction.size() == truth.size());
  for (size_t i = 0; i < truth.size(); ++i) {
    const double p = prediction[i];
    const double g = truth[i];
    const double difference = std::abs(p - g);
    const double log_error = std::log(p / g);
    const double inverse_error = 1000 / p - 1000 / g;
    const double ratio = std::max(p / g, g / p);
    sums_[kAbs] += difference;
    sums_[kAbsRel] += difference / g;
    sums_[kSq] += difference * difference;
    sums_[kSqRel] += difference * difference / g;
    sums_[kSqRelSq] += difference * difference / (g * g);
    sums_[kLog] += log_error;
    sums_[kLogSq] += log_error * log_error;
    sums_[kLog10] += std::abs(log_error);
    sums_[kInvSq] += inverse_error * inverse_error;
    sums_[kD1] += ratio < 1.25 ? 1 : 0;
    sums_[kD2] += ratio < 1.25 * 1.25 ? 1 : 0;
    sums_[kD3] += ratio < 1.25 * 1.25 * 1.25 ? 1 : 0;
  }
  pixels_ += truth.size();
}

void MetricAccumulator::add(const MetricAccumulator& other) {
  for (size_t i = 0; i < sums_.size(); ++i) sums_[i] += other.sums_[i];
  pixels_ += other.pixels_;
}

DepthMetrics MetricAccumulator::metrics() const {
  assert(pixels_ > 0);
  const auto mean = [&](Sum sum) { return sums_[sum] / static_cast<double>(pixels_); };
  DepthMetrics metrics;
  metrics.abs_rel = mean(kAbsRel);
  metrics.sq_rel = mean(kSqRel);
  metrics.rmse = std::sqrt(mean(kSq));
  metrics.rmse_log = std::sqrt(mean(kLogSq));
  metrics.log10 = mean(kLog10) / std::log(10.0);
  // Rounding may leave the variance of a constant error just below 0.
  metrics.silog = 100 * std::sqrt(std::max(0.0, mean(kLogSq) - mean(kLog) * mean(kLog)));
  metrics.irmse = std::sqrt(mean(kInvSq));
  metrics.mae = mean(kAbs);
  metrics.d1 = mean(kD1);
  metrics.d2 = mean(kD2);
  metrics.d3 = mean(kD3);
  metrics.abs_error_rel = 100 * mean(kAbsRel);
  metrics.sq_error_rel = 100 * mean(kSqRelSq);
  return metrics;
}

}  // namespace dualdepth
