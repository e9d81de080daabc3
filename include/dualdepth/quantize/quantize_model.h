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

// Share of the pixels on which the written file, read back into a graph, has the level of the
// quantized graph and its fraction to one code (without levels: its depth to one code).
inline constexpr double kEqualPixels = 0.999;
// Runtimes round sums in their own order, one code of a feature is another one then, and where
// levels all but tie depth moves far: for a network that has hardly learned, ONNX Runtime with and
// without its optimizations agrees on 85 % of the levels. How far, the quantized graph tells
// itself: computed in float32 instead of in whole numbers, its depth moves by r on average
// (DepthError::relative). Another runtime's may differ by this.
inline constexpr double kRoundings = 2;             // times r
inline constexpr double kRoundingAllowance = 5e-3;  // plus this

// Compares what `file` computes with the quantized graph in LibTorch. batch: pictures that the file
// takes at once. Returns its error against `reference`. Throws Error naming `name` when a depth is
// not finite or the depths differ by more than the roundings above.
DepthError check_quantized(const Quantization& quantization, const Contract& contract,
                           ExportedModel& file, const Pictures& pictures, const std::string& name);

// Writes the quantized network as ONNX with Q/DQ pairs. An ONNX file that `original` was read from
// keeps its names, opset, metadata and symbolic dimensions (onnx/quantized_copy.h); where that is
// not possible, FileCheck::notes says why, and the file is written from the graph as that of a
// checkpoint. `out` appears only when
//
//   - no winning logit on these pictures is clipped by the Relu or the lowest code of the logits
//     (graph/clipped_winners.h);
//   - the file, read back, is the quantized graph on kEqualPixels of the pixels;
//   - the file as written, in OpenVINO's own operations, passes check_quantized() (not for
//   tensorrt:
//     OpenVINO computes its symmetric quantization in another way).
//
// Throws Error naming `out`, and the picture where one is to blame, otherwise.
FileCheck write_quantized(const Quantization& quantization, const Contract& contract,
                          const Pictures& check, OnnxProfile profile,
                          const std::filesystem::path& out, const FloatModel* original = nullptr);

}  // namespace dualdepth::quantize
