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

  std::vector<Prediction> predict_batch(std::span<const cv::Mat> pictures) override {
    const OneThread one;
    return DensePredictor::predict_batch(pictures);
  }
};

template <class PredictorType>
LoadedPredictor open_exported(const std::shared_ptr<ExportedModel>& model, c10::Device device) {
  auto network = [model](const torch::Tensor& image) {
    return to_prediction(model->run(image), model->contract());
  };
  return {std::make_unique<PredictorType>(std::move(network), model->contract(), device,
                                          model->batch()),
          std::nullopt};
}

}  // namespace

cv::Mat depth_at_size(const Prediction& prediction, cv::Size picture) {
  cv::Mat depth(picture, CV_32FC1, cv::Scalar(0));
  cv::Mat inside = depth(prediction.region);
  cv::resize(prediction.depth, inside, inside.size(), 0, 0, cv::INTER_LINEAR);
  return depth;
}

std::vector<Prediction> Predictor::predict_batch(std::span<const cv::Mat> pictures) {
  std::vector<Prediction> predictions;
  predictions.reserve(pictures.size());
  for (const cv::Mat& rgb : pictures) predictions.push_back(predict(rgb));
  return predictions;
}

cv::Size Predictor::input_size() const {
  const auto& size = contract().input.size;
  return {static_cast<int>(size.at(1)), static_cast<int>(size.at(0))};
}

Prediction predict_with_flip(Predictor& predictor, const cv::Mat& rgb) {
  return std::move(predict_with_flip(predictor, std::span(&rgb, 1)).front());
}

std::vector<Prediction> predict_with_flip(Predictor& predictor, std::span<const cv::Mat> pictures) {
  std::vector<Prediction> predictions = predictor.predict_batch(pictures);
  std::vector<cv::Mat> mirrored(pictures.size());
  for (size_t i = 0; i < pictures.size(); ++i) {
    cv::flip(pictures[i], mirrored[i], /*flipCode=*/1);
  }
  const std::vector<Prediction> of_mirrored = predictor.predict_batch(mirrored);
  for (size_t i = 0; i < predictions.size(); ++i) {
    predictions[i].depth = flip_average(predictions[i].depth, of_mirrored[i].depth);
  }
  return predictions;
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
    std::optional<Contract> given;
    if (!options.card.empty()) given = read_contract(options.card);
    return open_exported<DensePredictor>(open_torchscript(model, device, given), device);
  }
  if (!options.card.empty()) {
    throw Error({.subject = model.string(),
                 .expected = "an exported file (.onnx, .ts) for --card",
                 .got = "a checkpoint, which has a contract of its own",
                 .fix = "leave --card out"});
  }
  const auto checkpoint = open_checkpoint(model);
  return {
      std::make_unique<NetworkPredictor>(load_network(checkpoint), checkpoint.config.data, device),
      checkpoint.config};
}

}  // namespace dualdepth
