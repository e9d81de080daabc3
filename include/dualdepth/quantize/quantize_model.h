#pragma once

#include <filesystem>
#include <optional>

#include "dualdepth/config/contract.h"
#include "dualdepth/quantize/quantize_graph.h"
#include "dualdepth/runtime/dense_predictor.h"

namespace dualdepth::quantize {

// A float model to quantize: a checkpoint (.safetensors) or an ONNX file with a contract.
struct FloatModel {
  graph::Graph graph;  // with the contract's outputs
  Contract contract;

  const InputContract& input() const { return contract.input; }
};

// shape: of the picture where it is not the file's own. given: in place of an ONNX file's own
// contract. Logits become levels, and a depth logit depth. Throws Error naming the file.
FloatModel open_float_model(const std::filesystem::path& file,
                            const std::optional<graph::Shape>& shape = {},
                            const std::optional<Contract>& given = {});

// What the written file says, run in OpenVINO (tensorrt: read back and run in LibTorch), against
// the float graph in LibTorch.
struct FileCheck {
  DepthError error;
  uintmax_t bytes = 0;
};

// Writes the quantized network as ONNX with Q/DQ pairs and runs it. `out` appears only when the
// file runs and says the depth of the quantized graph, on average within kFileTolerance beyond what
// 8 bits themselves change: where many levels all but tie, one step in the trunk moves depth far.
inline constexpr double kFileTolerance = 0.05;  // relative, mean over pixels
FileCheck write_quantized(const Quantization& quantization, const Contract& contract,
                          const Pictures& check, OnnxProfile profile,
                          const std::filesystem::path& out);

}  // namespace dualdepth::quantize
