#pragma once

#include <c10/core/Device.h>
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "dualdepth/model/dense_prediction.h"
#include "dualdepth/runtime/predictor.h"

namespace dualdepth {

// What a predictor needs to know of its network.
struct NetworkInput {
  ModelOptions model;
  std::vector<int64_t> image_shape;  // height, width
  bool kb_crop = false;              // cut the benchmark crop out of pictures that are large enough
};

// A picture as a network sees it.
struct NetworkPicture {
  torch::Tensor image;  // float32 [1, 3, H, W], RGB in 0..1
  cv::Rect region;      // the part of the picture that it shows
};

// rgb: CV_8UC3 of any size; cropped and resized to input.image_shape.
NetworkPicture to_network_picture(const cv::Mat& rgb, const NetworkInput& input,
                                  c10::Device device = c10::kCPU);

// The way of a picture that all networks share, one at a time in float32: to_network_picture; then
// `network`, whatever computes it; then back to maps.
class DensePredictor : public Predictor {
 public:
  using Network = std::function<DensePrediction(const torch::Tensor& image)>;

  DensePredictor(Network network, NetworkInput input, c10::Device device);

  Prediction predict(const cv::Mat& rgb) override;
  cv::Size input_size() const override;
  const ModelOptions& model() const override { return input_.model; }

 private:
  Network network_;
  NetworkInput input_;
  c10::Device device_;
};

}  // namespace dualdepth
