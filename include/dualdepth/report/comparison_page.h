#pragma once

#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "dualdepth/metrics/comparison.h"

namespace dualdepth {

// One model, or one folder of predictions, of a comparison.
struct ComparedResult {
  std::string name;
  EvaluationResult result;
  double ms_per_picture = 0;  // 0: not a model
  uintmax_t bytes = 0;        // of its file or files
};

// A picture on which the models differ: what each predicts, at the truth's size.
struct ComparedPictures {
  std::string id;
  cv::Mat rgb;
  cv::Mat truth;                     // metres
  std::vector<cv::Mat> predictions;  // metres, one for each model
};

// What `dualdepth compare` says; the first result is what the others are held against.
struct Comparison {
  std::vector<ComparedResult> results;
  std::vector<MetricDeltas> deltas;        // of results[1] and on against results[0]
  std::vector<ComparedPictures> pictures;  // for the page
  double max_depth = 80;                   // m, blue end of the colours of depth
  nlohmann::ordered_json config;
};

// Table for a terminal: metrics, delta of abs_rel with its interval, speed and size; then abs_rel
// by range of depth.
std::string comparison_table(const Comparison& comparison);

// {"protocol", "num_samples", "models": [{"name", "summary", "bins", "delta": {metric: {"mean",
// "low", "high"}}, "ms_per_picture", "bytes"}], "config"}
nlohmann::ordered_json comparison_json(const Comparison& comparison);

// The same as one self-contained HTML page, with the pictures.
std::string comparison_page(const Comparison& comparison);

}  // namespace dualdepth
