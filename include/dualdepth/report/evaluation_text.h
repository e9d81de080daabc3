#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "dualdepth/metrics/evaluation_result.h"

namespace dualdepth {

// The table that `dualdepth eval` prints: for each metric the mean over pictures with its 95 %
// bootstrap interval, and the value over all pixels pooled; pictures that count for nothing are
// named.
std::string evaluation_table(const EvaluationResult& result);

// {"protocol", "scaling", "summary": {metric: number}, "pooled": {...},
//  "interval_95": {metric: [low, high]}, "num_samples", "num_pixels", "samples_without_pixels": [],
//  "non_finite_predictions", "per_sample": [{"id", metric..., "pixels", "scale"}], "config": {...}}
//
// `config` holds the settings under which the numbers arose. Numbers are numbers; one that is not
// finite is left out.
nlohmann::ordered_json evaluation_json(const EvaluationResult& result,
                                       const nlohmann::ordered_json& config);

// One line for each picture under a header: id,abs_rel,...,pixels,scale. Ids with a comma or a
// quote are quoted (RFC 4180).
std::string evaluation_csv(const EvaluationResult& result);

}  // namespace dualdepth
