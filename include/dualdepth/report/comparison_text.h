#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "dualdepth/report/comparison_page.h"

namespace dualdepth {

// Returns the table for a terminal: metrics, difference from the first model's depth, speed and
// size; then the difference in abs_rel with its interval, abs_rel by range of depth, and the paths.
std::string comparison_table(const Comparison& comparison);

// Returns {"protocol", "num_samples",
//  "models": [{"name": path, "short_name", "summary": {metric: number},
//              "bins": {range: {"abs_rel", "pixels"}},
//              "to_first": {"mean_mm", "median_mm", "within_1_25", "within_1_05", "pixels",
//                           "without_depth", "histogram": {"edges_mm": [...], "shares": [...]}},
//              "delta": {metric: {"mean", "low", "high"}}, "ms_per_picture", "bytes"}],
//  "config"}
//
// The first model has neither "to_first" nor "delta". Numbers are numbers; one that is not finite
// is left out.
nlohmann::ordered_json comparison_json(const Comparison& comparison);

// What both reports write of a difference or a time: "+0.0002 (-0.0001 .. +0.0005)", with " *"
// where the interval leaves 0 out; "34.7", "-" without a time.
std::string delta_text(const MetricDelta& delta);
std::string time_text(double ms_per_picture);

// abs_rel of each result in one range of depth as text, "-" without a pixel.
struct ComparedBin {
  std::string name;
  std::vector<std::string> abs_rel;
};
std::vector<ComparedBin> compared_bins(const Comparison& comparison);

// The short names of all results.
std::vector<std::string> short_names_of(const Comparison& comparison);

}  // namespace dualdepth
