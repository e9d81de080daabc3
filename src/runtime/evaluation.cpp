#include "dualdepth/runtime/evaluation.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "dualdepth/base/error.h"
#include "dualdepth/runtime/read_ahead.h"

namespace dualdepth {
namespace {

// Two readers keep a CPU's network fed; four do so for a GPU and cost only memory.
constexpr size_t kSamplesAhead = 4;

struct JudgedSample {
  Sample sample;
  std::vector<ClassInstance> instances;
};

std::vector<ClassInstance> instances_of(const Dataset& dataset, size_t index) {
  std::vector<ClassInstance> instances;
  for (ClassMask& mask : dataset.load_class_masks(index)) {
    instances.push_back({std::move(mask.name), std::move(mask.mask)});
  }
  return instances;
}

// Depth of consecutive samples, the first of which has this index.
using DepthsOf =
    std::function<std::vector<cv::Mat>(size_t first, std::span<const JudgedSample> samples)>;

EvaluationResult evaluate_batches(const DepthsOf& depths_of, size_t batch, const Dataset& dataset,
                                  const EvaluationOptions& options, const SampleObserver& observe) {
  Evaluation evaluation(with_range(find_protocol(options.protocol), options.range),
                        options.scaling);
  ReadAhead<JudgedSample> samples(
      dataset.size(), std::max(kSamplesAhead, batch), [&](size_t index) {
        return JudgedSample{dataset.load(index), options.classes ? instances_of(dataset, index)
                                                                 : std::vector<ClassInstance>()};
      });
  for (size_t first = 0; first < dataset.size(); first += batch) {
    std::vector<JudgedSample> together;
    while (together.size() < std::min(batch, dataset.size() - first)) {
      together.push_back(samples.next());
      require_ground_truth(together.back().sample);
    }
    const std::vector<cv::Mat> depths = depths_of(first, together);
    for (size_t i = 0; i < together.size(); ++i) {
      const auto& [sample, instances] = together[i];
      evaluation.add(sample.id, depths[i], sample.depth, sample.valid_mask, instances);
      if (observe) observe(first + i, sample, depths[i]);
    }
  }
  return evaluation.result();
}

}  // namespace

void require_ground_truth(const Sample& sample) {
  if (!sample.depth.empty()) return;
  throw Error({.subject = sample.id,
               .expected = "ground truth to evaluate against",
               .got = "none",
               .fix = "leave it out of the split, or set data.missing: skip"});
}

DataOptions with_ground_truth_of(const Protocol& protocol, DataOptions data) {
  data.ground_truth = protocol.ground_truth.value_or(data.ground_truth);
  data.projection = protocol.projection.value_or(data.projection);
  return data;
}

cv::Mat predict_depth(Predictor& predictor, const cv::Mat& rgb, const EvaluationOptions& options) {
  return predict_depths(predictor, std::span(&rgb, 1), options).front();
}

std::vector<cv::Mat> predict_depths(Predictor& predictor, std::span<const cv::Mat> pictures,
                                    const EvaluationOptions& options) {
  const auto predictions =
      options.flip ? predict_with_flip(predictor, pictures) : predictor.predict_batch(pictures);
  std::vector<cv::Mat> depths;
  depths.reserve(pictures.size());
  for (size_t i = 0; i < pictures.size(); ++i) {
    depths.push_back(depth_at_size(predictions[i], pictures[i].size()));
  }
  return depths;
}

cv::Mat at_truth_size(const cv::Mat& depth, const cv::Mat& truth) {
  cv::Mat resized;
  cv::resize(depth, resized, truth.size(), 0, 0, cv::INTER_LINEAR);
  return resized;
}

EvaluationResult evaluate(const DepthSource& depth_of, const Dataset& dataset,
                          const EvaluationOptions& options, const SampleObserver& observe) {
  const auto depths_of = [&](size_t first, std::span<const JudgedSample> samples) {
    return std::vector<cv::Mat>{depth_of(first, samples.front().sample)};
  };
  return evaluate_batches(depths_of, /*batch=*/1, dataset, options, observe);
}

EvaluationResult evaluate(Predictor& predictor, const Dataset& dataset,
                          const EvaluationOptions& options, const SampleObserver& observe,
                          size_t batch) {
  const auto depths_of = [&](size_t, std::span<const JudgedSample> samples) {
    std::vector<cv::Mat> pictures;
    for (const JudgedSample& judged : samples) pictures.push_back(judged.sample.rgb);
    return predict_depths(predictor, pictures, options);
  };
  return evaluate_batches(depths_of, batch, dataset, options, observe);
}

}  // namespace dualdepth
