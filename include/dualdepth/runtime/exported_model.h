#pragma once

#include <c10/core/Device.h>
#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dualdepth/config/contract.h"
#include "dualdepth/config/runtime_options.h"
#include "dualdepth/config/train_options.h"
#include "dualdepth/model/dense_prediction.h"
#include "dualdepth/model/tensor_file.h"

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
  std::optional<Contract> contract = {};      // in place of the file's own
};

// What RuntimeOptions ask of OpenVINO. Throws Error when their card cannot be read.
OpenVinoOptions openvino_options(const RuntimeOptions& options);

// An exported file, ready to run. In both runtimes a 3x3 integer head followed by ArgMax is
// replaced by winning_levels (model/level_head.h), so that its K channels are never stored.
class ExportedModel {
 public:
  virtual ~ExportedModel() = default;

  // image: N pictures as the contract's input takes them. Returns the file's outputs by name.
  // Throws Error when the file is for another size.
  virtual NamedTensors run(const torch::Tensor& image) = 0;

  virtual const Contract& contract() const = 0;

  // Pictures that one run takes: a fixed number, or 0 for any.
  virtual int64_t batch() const { return 0; }

  // Of the last run, in the order of running; empty where the runtime tells none.
  virtual std::vector<LayerTime> layer_times() { return {}; }
};

// A TorchScript file in LibTorch. contract: in place of the file's own, with the size of the input.
// A file that returns one tensor or several instead of a dictionary names them by the order of the
// contract's outputs. Throws Error when it is no TorchScript file or has no contract.
std::unique_ptr<ExportedModel> open_torchscript(const std::filesystem::path& file,
                                                c10::Device device,
                                                const std::optional<Contract>& contract = {});

// True when a TorchScript file has a contract. Throws Error when it cannot be read.
bool torchscript_has_contract(const std::filesystem::path& file);

// An ONNX file in OpenVINO on the CPU. Throws Error naming the file and what OpenVINO says.
std::unique_ptr<ExportedModel> open_onnx(const std::filesystem::path& file,
                                         const OpenVinoOptions& options = {});

// Metres, level and fraction of a model's outputs, whichever it has. A level without a fraction
// stands for the depth at its center. Throws Error when an output is absent, has another shape than
// OutputContract says, or a level is none of the codec's.
DensePrediction to_prediction(const NamedTensors& outputs, const Contract& contract);

}  // namespace dualdepth
