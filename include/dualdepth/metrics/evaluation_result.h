#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dualdepth/metrics/depth_distribution.h"
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

// Pooled over those pixels of all pictures that share a range of depth or a class.
struct GroupMetrics {
  std::string name;  // "0.5-1", "car"
  size_t pixels = 0;
  DepthMetrics metrics;  // of no meaning without pixels
  size_t instances = 0;  // of a class, with at least one pixel
};

// One instance of a class in a picture: CV_8UC1 of the truth's size, non-zero inside.
struct ClassInstance {
  std::string name;
  cv::Mat mask;
};

// What an evaluation says of a data set under one protocol.
struct EvaluationResult {
  std::string protocol;
  ScalingKind scaling = ScalingKind::kNone;
  DepthMetrics summary;                             // mean over pictures
  DepthMetrics pooled;                              // over all pixels of all pictures
  std::vector<SampleMetrics> samples;               // pictures with at least one pixel that counts
  std::vector<std::string> samples_without_pixels;  // ids; they count for nothing
  std::vector<GroupMetrics> bins;                   // the protocol's, in rising order
  std::vector<GroupMetrics> classes;  // by name; of the data set's instances, where they are asked
  std::optional<DepthDistribution> distribution;  // of prediction against truth
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
  // Instances of one class may overlap: each pixel counts once for the class.
  void add(const std::string& id, const cv::Mat& prediction, const cv::Mat& truth,
           const cv::Mat& valid_mask = {}, std::span<const ClassInstance> instances = {});

  // Throws Error when no picture had a pixel that counts.
  EvaluationResult result() const;

 private:
  Protocol protocol_;
  EvaluationResult result_;
  struct Group {
    MetricAccumulator pixels;
    size_t instances = 0;
  };

  void add_to_bins(const PixelPairs& pairs);
  void add_to_classes(const PixelPairs& pairs, std::span<const ClassInstance> instances);

  MetricAccumulator pooled_;
  std::vector<MetricAccumulator> bins_;
  DepthDistribution distribution_;
  std::map<std::string, Group> classes_;
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
