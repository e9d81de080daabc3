#pragma once

#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>
#include <optional>
#include <span>
#include <vector>

#include "dualdepth/config/contract.h"
#include "dualdepth/config/run_config.h"
#include "dualdepth/config/runtime_options.h"

namespace dualdepth {

// What a model says of one picture, at the network's own resolution.
struct Prediction {
  cv::Mat depth;     // CV_32FC1, metres
  cv::Mat level;     // CV_16UC1; empty for a model without an integer head
  cv::Mat fraction;  // CV_32FC1 in 0..1, after the sigmoid; empty without a second head
  cv::Rect region;   // the part of the picture that the maps cover
};

// Depth for a picture of this size: bilinear in metres inside the prediction's region, 0 outside.
// The heads are never resized apart: interpolating them would mix levels.
cv::Mat depth_at_size(const Prediction& prediction, cv::Size picture);

// Picture in, depth out, whatever the model file is.
class Predictor {
 public:
  virtual ~Predictor() = default;

  // rgb: CV_8UC3 of any size; it is resized to input_size().
  virtual Prediction predict(const cv::Mat& rgb) = 0;

  // The predictions of several pictures, in one run of the network where it takes so many. They
  // equal those of predict() up to the order of sums.
  virtual std::vector<Prediction> predict_batch(std::span<const cv::Mat> pictures);

  // What the network takes and returns; input.size is filled in.
  virtual const Contract& contract() const = 0;

  // The size that pictures are resized to.
  cv::Size input_size() const;
};

// As predict() with the average of the picture's prediction and its mirror image's (flip_average).
// Level and fraction stay those of the picture itself.
Prediction predict_with_flip(Predictor& predictor, const cv::Mat& rgb);

// The same of several pictures, predicted together.
std::vector<Prediction> predict_with_flip(Predictor& predictor, std::span<const cv::Mat> pictures);

struct LoadedPredictor {
  std::unique_ptr<Predictor> predictor;
  std::optional<RunConfig>
      training;  // configuration of the training run; checkpoints alone have it
};

// Opens a checkpoint (.safetensors), a TorchScript (.ts, .pt) or an ONNX file (.onnx), whatever the
// name says, in the runtime asked for. options.card takes the place of an exported file's own
// contract. Call it before the first tensor (see choose_device). Throws
// Error naming the file, also when the runtime cannot run such a file.
LoadedPredictor open_predictor(const std::filesystem::path& model, const RuntimeOptions& options);

}  // namespace dualdepth
