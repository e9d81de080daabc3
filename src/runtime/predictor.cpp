#include "dualdepth/runtime/predictor.h"

#include <opencv2/imgproc.hpp>

#include "dualdepth/base/error.h"
#include "dualdepth/metrics/flip_average.h"
#include "dualdepth/runtime/checkpoint.h"
#include "dualdepth/runtime/device.h"
#include "dualdepth/runtime/exported_model.h"
#include "dualdepth/runtime/network_predictor.h"

namespace dualdepth {
namespace {

// OpenVINO has threads of its own. LibTorch's would spin beside them for milliseconds after each
// small operation before and behind the network, so it gets one while a picture is predicted.
class OpenVinoPredictor : public DensePredictor {
 public:
  using DensePredictor::DensePredictor;

  Prediction predict(const cv::Mat& rgb) override {
    const OneThread one;
    return DensePredictor::predict(rgb);
  }
};

template <class PredictorType>
LoadedPredictor open_exported(const std::shared_ptr<ExportedModel>& model, c10::Device device) {
  const ModelCard& card = model->card();
  NetworkInput input{.model = card.model, .image_shape = card.image_shape, .kb_crop = card.kb_crop};
  RunConfig config = run_config_of(card);
  auto network = [model](const torch::Tensor& image) {
    return to_prediction(model->run(image), model->card());
  };
  return {std::make_unique<PredictorType>(std::move(network), std::move(input), device),
          std::move(config)};
}

}  // namespace

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

LoadedPredictor open_predictor(const std::filesystem::path& model, const RuntimeOptions& options) {
  const auto extension = model.extension();
  const bool onnx = extension == ".onnx";
  const bool openvino = options.runtime == RuntimeKind::kOpenVino ||
                        options.runtime == RuntimeKind::kOpenVinoBFloat16;
  if (options.runtime != RuntimeKind::kAuto && openvino != onnx) {
    throw Error({.subject = model.string(),
                 .expected = openvino ? "an ONNX file (.onnx) for OpenVINO"
                                      : "a checkpoint or TorchScript (.ts) for LibTorch",
                 .got = extension.string(),
                 .fix = "leave --runtime out, or export the checkpoint first"});
  }
  if (onnx) {
    return open_exported<OpenVinoPredictor>(open_onnx(model, openvino_options(options)), c10::kCPU);
  }
  const auto device = choose_device(options.device);
  if (extension == ".ts" || extension == ".pt") {
    return open_exported<DensePredictor>(open_torchscript(model, device), device);
  }
  const auto checkpoint = open_checkpoint(model);
  return {
      std::make_unique<NetworkPredictor>(load_network(checkpoint), checkpoint.config.data, device),
      checkpoint.config};
}

}  // namespace dualdepth
