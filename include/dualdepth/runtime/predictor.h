#pragma once

#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>

#include "dualdepth/config/model_options.h"

namespace dualdepth {

// What a model says of one picture, at the network's own resolution.
struct Prediction {
  cv::Mat depth;     // CV_32FC1, metres
  cv::Mat level;     // CV_16UC1; empty for a model without an integer head
  cv::Mat fraction;  // CV_32FC1 in 0..1, after the sigmoid; empty likewise
};

// Picture in, depth out, whatever the model file is.
class Predictor {
 public:
  virtual ~Predictor() = default;

  // rgb: CV_8UC3 of any size; it is resized to input_size().
  virtual Prediction predict(const cv::Mat& rgb) = 0;

  virtual cv::Size input_size() const = 0;
  virtual const ModelOptions& model() const = 0;
};

}  // namespace dualdepth
