#pragma once

#include <filesystem>
#include <optional>

#include "dualdepth/quantize/quantize_graph.h"
#include "dualdepth/runtime/dense_predictor.h"
#include "dualdepth/runtime/model_card.h"

namespace dualdepth::quantize {

// A float model to quantize: a checkpoint (.safetensors) or an ONNX file that export wrote.
struct FloatModel {
  graph::Graph graph;  // outputs `level` and `fraction`; `depth` for a network with one head
  ModelCard card;

  NetworkInput input() const { return {card.model, card.image_shape, card.kb_crop}; }
};

// shape: of the picture where it is not the file's own. Throws Error naming the file.
FloatModel open_float_model(const std::filesystem::path& file,
                            const std::optional<graph::Shape>& shape = {});

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
FileCheck write_quantized(const Quantization& quantization, const ModelCard& card,
                          const Pictures& check, OnnxProfile profile,
                          const std::filesystem::path& out);

}  // namespace dualdepth::quantize
