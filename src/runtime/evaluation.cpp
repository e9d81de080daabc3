#include "dualdepth/runtime/evaluation.h"

#include "dualdepth/base/error.h"
#include "dualdepth/runtime/read_ahead.h"

namespace dualdepth {
namespace {

// Two readers keep a CPU's network fed; four do so for a GPU and cost only memory.
constexpr size_t kSamplesAhead = 4;

void require_ground_truth(const Sample& sample) {
  if (!sample.depth.empty()) return;
  throw Error({.subject = sample.id,
               .expected = "ground truth to evaluate against",
               .got = "none",
               .fix = "leave it out of the split, or set data.missing: skip"});
}

}  // namespace

DataOptions with_ground_truth_of(const Protocol& protocol, DataOptions data) {
  data.ground_truth = protocol.ground_truth.value_or(data.ground_truth);
  data.projection = protocol.projection.value_or(data.projection);
  return data;
}

cv::Mat predict_depth(Predictor& predictor, const cv::Mat& rgb, const EvaluationOptions& options) {
  const auto prediction = options.flip ? predict_with_flip(predictor, rgb) : predictor.predict(rgb);
  return depth_at_size(prediction, rgb.size());
}

EvaluationResult evaluate(Predictor& predictor, const Dataset& dataset,
                          const EvaluationOptions& options, const SampleObserver& observe) {
  Evaluation evaluation(find_protocol(options.protocol), options.scaling);
  ReadAhead<Sample> samples(dataset.size(), kSamplesAhead,
                            [&](size_t index) { return dataset.load(index); });
  for (size_t i = 0; i < dataset.size(); ++i) {
    const Sample sample = samples.next();
    require_ground_truth(sample);
    const cv::Mat depth = predict_depth(predictor, sample.rgb, options);
    evaluation.add(sample.id, depth, sample.depth, sample.valid_mask);
    if (observe) observe(i, sample, depth);
  }
  return evaluation.result();
}

}  // namespace dualdepth
