#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dualdepth/metrics/depth_metrics.h"
#include "dualdepth/metrics/protocol.h"

namespace dualdepth {

// One picture's row of an evaluation.
struct SampleMetrics {
  std::string id;
  DepthMetrics metrics;
  size_t pixels = 0;
  double scale = 1;  // that ScalingKind::kMedian multiplied predictions by
};

// What an evaluation says of a data set under one protocol.
struct EvaluationResult {
  std::string protocol;
  ScalingKind scaling = ScalingKind::kNone;
  DepthMetrics summary;                             // mean over pictures
  DepthMetrics pooled;                              // over all pixels of all pictures
  std::vector<SampleMetrics> samples;               // pictures with at least one pixel that counts
  std::vector<std::string> samples_without_pixels;  // ids; they count for nothing
  size_t pixels = 0;
  size_t non_finite_predictions = 0;  // see PixelPairs::non_finite

  size_t num_samples() const { return samples.size(); }
};

// Gathers an evaluation picture by picture:
//
//   Evaluation evaluation(find_protocol("eigen-annotated"), ScalingKind::kNone);
//   for (...) evaluation.add(sample.id, prediction.depth, sample.depth, sample.valid_mask);
//   const EvaluationResult result = evaluation.result();
class Evaluation {
 public:
  Evaluation(const Protocol& protocol, ScalingKind scaling);

  // The arguments are those of select_pixels; its Error is thrown again with the id before it.
  void add(const std::string& id, const cv::Mat& prediction, const cv::Mat& truth,
           const cv::Mat& valid_mask = {});

  // Throws Error when no picture had a pixel that counts.
  EvaluationResult result() const;

 private:
  Protocol protocol_;
  EvaluationResult result_;
  MetricAccumulator pooled_;
};

// The ends of an interval for each metric.
struct MetricIntervals {
  DepthMetrics low, high;
};

// 95 % bootstrap intervals of EvaluationResult::summary over pictures: as many pictures are drawn
// with replacement, `resamples` times, and the 2.5th and 97.5th percentiles of the means taken
// (Efron 1979). A pure function of its arguments. `samples` is not empty.
MetricIntervals bootstrap_intervals(const std::vector<SampleMetrics>& samples, uint64_t seed = 0,
                                    int resamples = 1000);

}  // namespace dualdepth
