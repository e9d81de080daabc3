#include "dualdepth/metrics/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

void require_same_pictures(const EvaluationResult& first, const EvaluationResult& other) {
  const auto fail = [](std::string expected, std::string got) {
    throw Error({.subject = "comparison",
                 .expected = std::move(expected),
                 .got = std::move(got),
                 .fix = "compare under one protocol on one data set"});
  };
  if (first.protocol != other.protocol) fail("protocol " + first.protocol, other.protocol);
  if (first.samples.size() != other.samples.size()) {
    fail(fmt::format("{} pictures", first.samples.size()), std::to_string(other.samples.size()));
  }
  for (size_t i = 0; i < first.samples.size(); ++i) {
    if (first.samples[i].id != other.samples[i].id) {
      fail("picture " + first.samples[i].id, other.samples[i].id);
    }
  }
}

}  // namespace

MetricDeltas paired_deltas(const EvaluationResult& first, const EvaluationResult& other) {
  require_same_pictures(first, other);
  std::vector<SampleMetrics> differences(first.samples.size());
  MetricDeltas deltas;
  DepthMetrics::visit_fields([&](std::string_view, double DepthMetrics::*metric) {
    double sum = 0;
    for (size_t i = 0; i < differences.size(); ++i) {
      const double difference = other.samples[i].metrics.*metric - first.samples[i].metrics.*metric;
      differences[i].metrics.*metric = difference;
      sum += difference;
    }
    deltas.mean.*metric = sum / static_cast<double>(differences.size());
  });
  const MetricIntervals intervals = bootstrap_intervals(differences);
  deltas.low = intervals.low;
  deltas.high = intervals.high;
  return deltas;
}

std::vector<size_t> most_worsened(const EvaluationResult& first, const EvaluationResult& other,
                                  size_t count) {
  require_same_pictures(first, other);
  std::vector<size_t> order(first.samples.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](size_t i) {
    return other.samples[i].metrics.abs_rel - first.samples[i].metrics.abs_rel;
  });
  order.resize(std::min(count, order.size()));
  return order;
}

}  // namespace dualdepth
