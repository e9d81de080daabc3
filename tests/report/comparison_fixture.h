#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "dualdepth/report/comparison_page.h"

namespace dualdepth::testing {

// Two models on two pictures. abs_rel is 0.10 and 0.20 for the first, 0.12 and 0.22 for the second:
// 0.15 and 0.17 on average, 0.02 more in each picture. The second one's depth: see `difference`.
inline Comparison comparison_of_two() {
  const auto evaluated = [](double more) {
    EvaluationResult result;
    result.protocol = "eigen-annotated";
    for (const double abs_rel : {0.10 + more, 0.20 + more}) {
      SampleMetrics sample;
      sample.id = "drive/" + std::to_string(result.samples.size());
      sample.metrics.abs_rel = abs_rel;
      result.samples.push_back(sample);
    }
    result.summary.abs_rel = 0.15 + more;
    result.summary.rmse = 4.5 + more;
    result.summary.d1 = 0.8 - more;
    result.bins = {{.name = "0-10", .pixels = 7, .metrics = {.abs_rel = 0.25 + more}},
                   {.name = "10-20", .pixels = 0, .metrics = {.abs_rel = std::nan("")}}};
    return result;
  };
  DepthDifference difference{.pixels = 400, .without_depth = 3};
  difference.mean_mm = 181.84;
  difference.median_mm = 7.97;
  difference.within_1_25 = 0.9925;
  difference.within_1_05 = 0.93;
  difference.histogram[0] = 0.75;
  difference.histogram[13] = 0.25;
  Comparison comparison;
  comparison.results = {{.name = "runs/a/float.safetensors",
                         .result = evaluated(0),
                         .ms_per_picture = 80.04,
                         .bytes = 57'500'000},
                        {.name = "out/<int8>.onnx",
                         .result = evaluated(0.02),
                         .to_first = difference,
                         .bytes = 14'500'000}};
  comparison.deltas = {paired_deltas(comparison.results[0].result, comparison.results[1].result)};
  comparison.config = {{"data", "val.txt"}};
  return comparison;
}

}  // namespace dualdepth::testing
