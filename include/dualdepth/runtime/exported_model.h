#pragma once

#include <c10/core/Device.h>
#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dualdepth/config/runtime_options.h"
#include "dualdepth/config/train_options.h"
#include "dualdepth/model/dense_prediction.h"
#include "dualdepth/model/tensor_file.h"
#include "dualdepth/runtime/model_card.h"

namespace dualdepth {

// Time of one of the runtime's own layers, which may be several fused nodes.
struct LayerTime {
  std::string name;
  std::string kind;       // the runtime's word: "Convolution", "LevelHead"
  std::string precision;  // "jit_avx512_f32"; what computed it
  double milliseconds = 0;
};

// How OpenVINO runs a file.
struct OpenVinoOptions {
  Precision precision = Precision::kFloat32;  // of all but the integer head
  int64_t threads = 0;                        // 0: all cores
  bool profile = false;                       // keeps layer_times(), at some cost
};

// What RuntimeOptions ask of OpenVINO.
OpenVinoOptions openvino_options(const RuntimeOptions& options);

// An exported file, ready to run. In both runtimes a 3x3 integer head followed by ArgMax is
// replaced by winning_levels (model/level_head.h), so that its K channels are never stored.
class ExportedModel {
 public:
  virtual ~ExportedModel() = default;

  // image: float32 [1, 3, H, W] RGB in 0..1. Returns what the card says, by name, each [1, C, h,
  // w]. Throws Error when the file is for another size.
  virtual NamedTensors run(const torch::Tensor& image) = 0;

  virtual const ModelCard& card() const = 0;

  // Of the last run, in the order of running; empty where the runtime tells none.
  virtual std::vector<LayerTime> layer_times() { return {}; }
};

// A TorchScript file in LibTorch. Throws Error when it is none or has no model card.
std::unique_ptr<ExportedModel> open_torchscript(const std::filesystem::path& file,
                                                c10::Device device);

// An ONNX file in OpenVINO on the CPU. Throws Error naming the file and what OpenVINO says.
std::unique_ptr<ExportedModel> open_onnx(const std::filesystem::path& file,
                                         const OpenVinoOptions& options = {});

// Metres, level and fraction of a model's outputs, whichever it has.
DensePrediction to_prediction(const NamedTensors& outputs, const ModelCard& card);

}  // namespace dualdepth
