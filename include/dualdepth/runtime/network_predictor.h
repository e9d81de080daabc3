#pragma once

#include <c10/core/Device.h>

#include "dualdepth/config/data_options.h"
#include "dualdepth/model/depth_net.h"
#include "dualdepth/runtime/predictor.h"

namespace dualdepth {

// Predicts with a network in memory, a trainer's for validation or a checkpoint's, one picture at a
// time in float32. With data.kb_crop the network sees the benchmark crop of each picture that is
// large enough, as it did in training.
class NetworkPredictor : public Predictor {
 public:
  // Moves the network to the device and puts it into evaluation mode: a trainer calls net->train()
  // again afterwards.
  NetworkPredictor(DepthNet net, const DataOptions& data, c10::Device device);

  Prediction predict(const cv::Mat& rgb) override;
  cv::Size input_size() const override { return input_size_; }
  const ModelOptions& model() const override { return net_->options(); }

 private:
  DepthNet net_;
  cv::Size input_size_;
  bool kb_crop_;
  c10::Device device_;
};

}  // namespace dualdepth
