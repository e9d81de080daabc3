#include "dualdepth/runtime/predictor.h"

#include <opencv2/imgproc.hpp>

#include "dualdepth/metrics/flip_average.h"
#include "dualdepth/runtime/checkpoint.h"
#include "dualdepth/runtime/device.h"
#include "dualdepth/runtime/network_predictor.h"

namespace dualdepth {

cv::Mat depth_at_size(const Prediction& prediction, cv::Size picture) {
  cv::Mat depth(picture, CV_32FC1, cv::Scalar(0));
  cv::Mat inside = depth(prediction.region);
  cv::resize(prediction.depth, inside, inside.size(), 0, 0, cv::INTER_LINEAR);
  return depth;
}

Prediction predict_with_flip(Predictor& predictor, const cv::Mat& rgb) {
  Prediction prediction = predictor.predict(rgb);
  cv::Mat mirrored;
  cv::flip(rgb, mirrored, /*flipCode=*/1);
  prediction.depth = flip_average(prediction.depth, predictor.predict(mirrored).depth);
  return prediction;
}

LoadedPredictor open_predictor(const std::filesystem::path& model, DeviceKind kind) {
  const auto device = choose_device(kind);
  const auto checkpoint = open_checkpoint(model);
  return {
      std::make_unique<NetworkPredictor>(load_network(checkpoint), checkpoint.config.data, device),
      checkpoint.config};
}

}  // namespace dualdepth
