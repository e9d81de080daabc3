#pragma once

#include <string>
#include <vector>

#include "dualdepth/metrics/evaluation_result.h"

namespace dualdepth {

// Mean difference of a metric over pictures with its 95 % interval.
struct MetricDelta {
  double mean = 0;
  double low = 0, high = 0;

  // Whether the interval leaves 0 out.
  bool is_significant() const { return low > 0 || high < 0; }
};

// What `other` has more than `first` in each metric, picture by picture: pairing takes out what
// makes some pictures harder than others. The interval is a bootstrap over pictures (see
// bootstrap_intervals). Both judged the same pictures under the same protocol; throws Error naming
// the first difference otherwise.
struct MetricDeltas {
  DepthMetrics mean, low, high;

  MetricDelta of(double DepthMetrics::*metric) const {
    return {mean.*metric, low.*metric, high.*metric};
  }
};
MetricDeltas paired_deltas(const EvaluationResult& first, const EvaluationResult& other);

// The positions in `samples` of the `count` pictures whose abs_rel grew most from `first` to
// `other`, the worst first.
std::vector<size_t> most_worsened(const EvaluationResult& first, const EvaluationResult& other,
                                  size_t count);

}  // namespace dualdepth
