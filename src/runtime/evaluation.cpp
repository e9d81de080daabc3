#include "dualdepth/runtime/evaluation.h"

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
  const auto prediction = options.flip ? predict_with_flip(predictor, rgb) : predictor.predict(rgb);
  return depth_at_size(prediction, rgb.size());
}

cv::Mat at_truth_size(const cv::Mat& depth, const cv::Mat& truth) {
  cv::Mat resized;
  cv::resize(depth, resized, truth.size(), 0, 0, cv::INTER_LINEAR);
  return resized;
}

EvaluationResult evaluate(const DepthSource& depth_of, const Dataset& dataset,
                          const EvaluationOptions& options, const SampleObserver& observe) {
  Evaluation evaluation(with_range(find_protocol(options.protocol), options.range),
                        options.scaling);
  ReadAhead<JudgedSample> samples(dataset.size(), kSamplesAhead, [&](size_t index) {
    return JudgedSample{dataset.load(index), options.classes ? instances_of(dataset, index)
                                                             : std::vector<ClassInstance>()};
  });
  for (size_t i = 0; i < dataset.size(); ++i) {
    const auto [sample, instances] = samples.next();
    require_ground_truth(sample);
    const cv::Mat depth = depth_of(i, sample);
    evaluation.add(sample.id, depth, sample.depth, sample.valid_mask, instances);
    if (observe) observe(i, sample, depth);
  }
  return evaluation.result();
}

EvaluationResult evaluate(Predictor& predictor, const Dataset& dataset,
                          const EvaluationOptions& options, const SampleObserver& observe) {
  const auto predict = [&](size_t, const Sample& sample) {
    return predict_depth(predictor, sample.rgb, options);
  };
  return evaluate(predict, dataset, options, observe);
}

}  // namespace dualdepth
