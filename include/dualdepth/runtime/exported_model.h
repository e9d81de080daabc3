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
#include "dualdepth/graph/graph.h"
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
  int64_t threads = 0;                        // 0 uses all cores
  bool profile = false;                       // keeps layer_times(), at some cost
  bool as_written = false;                    // the file itself: see open_onnx()
};

// Returns what RuntimeOptions ask of OpenVINO.
OpenVinoOptions openvino_options(const RuntimeOptions& options);

// An exported file, ready to run.
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

// A TorchScript file in LibTorch, which runs the module as it is: the K channels of the integer
// head are stored. Throws Error when the file is none or has no model card.
std::unique_ptr<ExportedModel> open_torchscript(const std::filesystem::path& file,
                                                c10::Device device);

// An ONNX file in OpenVINO on the CPU.
//
// The file is read into the network graph (onnx/onnx_reader.h), and the graph is lowered to
// OpenVINO's operations. A 3x3 integer head becomes one kernel that never stores its K channels
// (model/level_head.h). It computes the file's function but for one thing: where a quantized file
// rounds the logits of several levels to the same greatest code, the file returns the first of
// these levels, and the kernel returns the one with the greatest sum.
//
// A file that the graph cannot express is computed as written, and a message gives the reason.
//
// as_written: OpenVINO's own importer reads the file, and nothing is replaced, so that the result
// is what any other runtime computes. Proofs use this mode (export/export_check.h).
//
// Throws Error naming the file and what OpenVINO reports.
std::unique_ptr<ExportedModel> open_onnx(const std::filesystem::path& file,
                                         const OpenVinoOptions& options = {});

// A graph lowered to OpenVINO as open_onnx() does it; the input has the graph's shape. Throws Error
// naming the node that cannot be lowered.
std::unique_ptr<ExportedModel> open_lowered(const graph::Graph& graph, const ModelCard& card,
                                            const OpenVinoOptions& options = {});

// Metres, level and fraction of a model's outputs, whichever it has.
DensePrediction to_prediction(const NamedTensors& outputs, const ModelCard& card);

}  // namespace dualdepth
