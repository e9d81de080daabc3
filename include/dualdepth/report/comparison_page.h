#pragma once

#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "dualdepth/metrics/comparison.h"
#include "dualdepth/metrics/depth_difference.h"

namespace dualdepth {

// One model, or one folder of predictions, of a comparison.
struct ComparedResult {
  std::string name;  // the path as it was given; reports shorten it, see short_names
  EvaluationResult result;
  DepthDifference to_first = {};  // from the first model's depth, over all pixels
  double ms_per_picture = 0;      // 0: not a model
  uintmax_t bytes = 0;            // of its file or files
};

// A picture on which the models differ: what each predicts, at the truth's size.
struct ComparedPictures {
  std::string id;
  cv::Mat rgb;
  cv::Mat truth;                     // metres
  std::vector<cv::Mat> predictions;  // metres, one for each model
};

// What `dualdepth compare` has measured; the first result is what the others are compared with.
struct Comparison {
  std::vector<ComparedResult> results;
  std::vector<MetricDeltas> deltas;        // of results[1] and on against results[0]
  std::vector<ComparedPictures> pictures;  // for the page
  double max_depth = 80;                   // m, blue end of the colours of depth
  nlohmann::ordered_json config;
};

// Returns one self-contained HTML page that answers for each model what changed against the first
// one: a sentence, a table of at most 1280 px, a histogram of |depth - first model's depth|, and
// for each picture depth, that difference as a map, and the error relative to the true depth. All
// metrics, their differences with intervals, paths and settings are folded at the end.
std::string comparison_page(const Comparison& comparison);

}  // namespace dualdepth
