#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dualdepth/config/contract.h"
#include "dualdepth/quantize/quantize_graph.h"
#include "dualdepth/runtime/dense_predictor.h"
#include "dualdepth/runtime/exported_model.h"

namespace dualdepth::quantize {

// A float model to quantize: a checkpoint (.safetensors) or an ONNX file with a contract.
struct FloatModel {
  graph::Graph graph;  // with the contract's outputs
  Contract contract;
  std::filesystem::path file = {};  // the ONNX file; empty for a checkpoint

  const InputContract& input() const { return contract.input; }
};

// shape: of the pictures [N, 3, H, W] where it is not the file's own. given: in place of an ONNX
// file's own contract. Logits become levels, and a depth logit depth. Throws Error naming the file,
// also when the file is for one fixed size and this is another.
FloatModel open_float_model(const std::filesystem::path& file,
                            const std::optional<graph::Shape>& shape = {},
                            const std::optional<Contract>& given = {});

// What a written file computes, compared with the float graph in LibTorch.
struct FileCheck {
  DepthError error;
  uintmax_t bytes = 0;
  std::vector<std::string> notes = {};        // what became of the ONNX file that was quantized
  std::vector<std::string> value_names = {};  // of each node of Quantization::graph
};

// Writes the quantized network as ONNX with Q/DQ pairs. An ONNX file that `original` was read from
// keeps its names, opset, metadata and symbolic dimensions (onnx/quantized_copy.h); where that is
// not possible, FileCheck::notes says why, and the file is written from the graph as that of a
// checkpoint. `out` appears only when no winning logit is clipped on these pictures and the file is
// proven to be the network (quantize/file_proof.h). Throws Error naming `out`, and layer and
// picture where one is to blame, otherwise.
FileCheck write_quantized(const Quantization& quantization, const Contract& contract,
                          const Pictures& check, OnnxProfile profile,
                          const std::filesystem::path& out, const FloatModel* original = nullptr);

}  // namespace dualdepth::quantize
