#pragma once

#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "dualdepth/metrics/evaluation_result.h"

namespace dualdepth {

// What a page shows of one picture: all maps of the picture's size.
struct SamplePictures {
  cv::Mat rgb;         // CV_8UC3
  cv::Mat truth;       // CV_32FC1 metres, 0 = none
  cv::Mat prediction;  // CV_32FC1 metres
};

// The pictures worth looking at: positions in result.samples of the `count` lowest abs_rel, lowest
// first, and of the `count` highest, highest first. No picture is in both.
struct ExtremeSamples {
  std::vector<size_t> best;
  std::vector<size_t> worst;
};
ExtremeSamples extreme_samples(const EvaluationResult& result, size_t count = 5);

// One self-contained HTML page: settings, the table of metrics, the extreme pictures (RGB, ground
// truth, prediction, error, in fixed colour ranges: depth 0..max_depth, error 0..1.5 m) and a row
// for each sample. `pictures` are those of extremes.best, then of extremes.worst; `config` is shown
// as it stands.
struct EvaluationPage {
  std::string title;
  EvaluationResult result;
  nlohmann::ordered_json config;
  double max_depth = 80;  // m
  ExtremeSamples extremes;
  std::vector<SamplePictures> pictures;
};
std::string evaluation_page(const EvaluationPage& page);

}  // namespace dualdepth
