#pragma once

#include <cstdint>
#include <string>

#include "dualdepth/config/export_options.h"
#include "dualdepth/config/model_options.h"
#include "dualdepth/config/run_config.h"

namespace dualdepth {

class OnnxFile;

// What an exported model carries beside its graph, so that the file alone suffices to make metres.
// ONNX: metadata_props["dualdepth"]; TorchScript: the extra file "dualdepth.json". JSON:
//
//   {"format_version": 1, "outputs": "levels",
//    "input": {"name": "image", "layout": "NCHW", "channels": "RGB", "range": [0, 1],
//              "normalisation": "inside the graph: (x - mean) / std"},
//    "model": {"encoder", "mean", "std", "params": {codec, spacing, n_integer_levels, ranges ...}},
//    "data": {"image_shape": [192, 640], "kb_crop": false}}
struct ModelCard {
  ModelOutputs outputs = ModelOutputs::kLevels;
  ModelOptions model;
  std::vector<int64_t> image_shape;  // height, width that pictures are resized to
  bool kb_crop = false;              // see data.kb_crop
};

inline constexpr const char* kModelCardKey = "dualdepth";
inline constexpr const char* kModelCardFile = "dualdepth.json";
inline constexpr int kModelCardVersion = 1;

std::string to_json(const ModelCard& card);

// Throws Error naming `origin` and what is missing or wrong.
ModelCard parse_model_card(const std::string& json, const std::string& origin);

// Of a file's metadata. Throws Error when it has none.
ModelCard card_of(const OnnxFile& file);

// The configuration of a run with this model; what the card does not say has its default.
RunConfig run_config_of(const ModelCard& card);

}  // namespace dualdepth
