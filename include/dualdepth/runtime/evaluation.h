#pragma once

#include <cstddef>
#include <functional>
#include <opencv2/core.hpp>
#include <span>
#include <vector>

#include "dualdepth/config/data_options.h"
#include "dualdepth/config/train_options.h"
#include "dualdepth/data/dataset.h"
#include "dualdepth/metrics/evaluation_result.h"
#include "dualdepth/metrics/protocol.h"
#include "dualdepth/runtime/predictor.h"

namespace dualdepth {

// `data` with the kind of ground truth that the protocol prescribes.
DataOptions with_ground_truth_of(const Protocol& protocol, DataOptions data);

// Depth in metres at the picture's own size, as evaluate() judges it: averaged with the mirrored
// picture's when options.flip.
cv::Mat predict_depth(Predictor& predictor, const cv::Mat& rgb, const EvaluationOptions& options);

// The same of several pictures, predicted together.
std::vector<cv::Mat> predict_depths(Predictor& predictor, std::span<const cv::Mat> pictures,
                                    const EvaluationOptions& options);

// Throws Error naming the sample when it has no ground truth.
void require_ground_truth(const Sample& sample);

// Sees every sample after it was predicted, in order: `depth` is the prediction at the ground
// truth's size in metres, neither scaled nor clamped.
using SampleObserver =
    std::function<void(size_t index, const Sample& sample, const cv::Mat& depth)>;

// `depth` bilinearly resized to the ground truth's size, as it is judged.
cv::Mat at_truth_size(const cv::Mat& depth, const cv::Mat& truth);

// Depth in metres for a sample, of any size.
using DepthSource = std::function<cv::Mat(size_t index, const Sample& sample)>;

// As below, for depth from anywhere.
EvaluationResult evaluate(const DepthSource& depth_of, const Dataset& dataset,
                          const EvaluationOptions& options, const SampleObserver& observe = {});

// Predicts every sample and judges it under options.protocol: the one way for the verb eval, for
// validation while training, and for every kind of model file. Samples are read in the background
// and predicted `batch` at a time.
// Throws Error when a sample cannot be read, has no ground truth, or no picture of the data set has
// a pixel that counts.
EvaluationResult evaluate(Predictor& predictor, const Dataset& dataset,
                          const EvaluationOptions& options, const SampleObserver& observe = {},
                          size_t batch = 1);

}  // namespace dualdepth
