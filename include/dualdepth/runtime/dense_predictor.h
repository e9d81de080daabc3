#pragma once

#include <c10/core/Device.h>
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "dualdepth/model/dense_prediction.h"
#include "dualdepth/runtime/predictor.h"

namespace dualdepth {

// A picture as a network sees it.
struct NetworkPicture {
  torch::Tensor image;  // one picture as InputContract says: [1, 3, H, W] or [1, H, W, 3]
  cv::Rect region;      // the part of the picture that it shows
};

// rgb: CV_8UC3 of any size; cropped, resized to input.size and encoded as InputContract says.
NetworkPicture to_network_picture(const cv::Mat& rgb, const InputContract& input,
                                  c10::Device device = c10::kCPU);

// The way of a picture that all networks share: to_network_picture; then `network`, whatever
// computes it; then back to maps.
class DensePredictor : public Predictor {
 public:
  using Network = std::function<DensePrediction(const torch::Tensor& image)>;

  // contract: with the size of the input. batch: pictures that the network takes in one run; 0:
  // any number. Fewer are filled up with copies of the last.
  DensePredictor(Network network, Contract contract, c10::Device device, int64_t batch = 0);

  Prediction predict(const cv::Mat& rgb) override;
  std::vector<Prediction> predict_batch(std::span<const cv::Mat> pictures) override;
  const Contract& contract() const override { return contract_; }

 private:
  void predict_together(std::span<const cv::Mat> pictures, std::vector<Prediction>& all);

  Network network_;
  Contract contract_;
  c10::Device device_;
  int64_t batch_;
};

}  // namespace dualdepth
