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
#include "dualdepth/graph/graph.h"
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
  int64_t threads = 0;                        // 0 uses all cores
  bool profile = false;                       // keeps layer_times(), at some cost
  bool as_written = false;                    // the file itself: see open_onnx()
  // With as_written: names of values inside the file that run() returns beside the outputs.
  std::vector<std::string> exposed = {};
  std::optional<Contract> contract = {};  // in place of the file's own
};

// Returns what RuntimeOptions ask of OpenVINO. Throws Error when their contract cannot be read.
OpenVinoOptions openvino_options(const RuntimeOptions& options);

// An exported file, ready to run.
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

// A TorchScript file in LibTorch, which runs the module as it is: the K channels of the integer
// head are stored. contract: in place of the file's own, with the size of the input. A file that
// returns one tensor or several instead of a dictionary names them by the order of the contract's
// outputs. Throws Error when it is no TorchScript file or has no contract.
std::unique_ptr<ExportedModel> open_torchscript(const std::filesystem::path& file,
                                                c10::Device device,
                                                const std::optional<Contract>& contract = {});

// True when a TorchScript file has a contract. Throws Error when it cannot be read.
bool torchscript_has_contract(const std::filesystem::path& file);

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
// is what any other runtime computes. Proofs use this mode (export/export_check.h,
// quantize/file_proof.h).
//
// exposed: OpenVINO does not fuse an exposed value away. That of a QuantizeLinear comes as the
// codes that the next layer reads, and the layers stay in 8 bits.
//
// Throws Error naming the file and what OpenVINO reports.
std::unique_ptr<ExportedModel> open_onnx(const std::filesystem::path& file,
                                         const OpenVinoOptions& options = {});

// A graph lowered to OpenVINO as open_onnx() does it; the input has the graph's shape. Throws Error
// naming the node that cannot be lowered.
std::unique_ptr<ExportedModel> open_lowered(const graph::Graph& graph, const Contract& contract,
                                            const OpenVinoOptions& options = {});

// Returns metres, level and fraction of a model's outputs, whichever it has. A level without a
// fraction stands for the depth at its center. Throws Error when an output is absent, has another
// shape than OutputContract says, or a level is none of the codec's.
DensePrediction to_prediction(const NamedTensors& outputs, const Contract& contract);

}  // namespace dualdepth
