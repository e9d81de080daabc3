#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "dualdepth/config/export_options.h"
#include "dualdepth/config/model_options.h"

namespace dualdepth::study {

// Why a network of these options cannot be exported for a profile; nothing when it can. A network
// with random weights is traced for a small picture, made ONNX, and, for npu and tensorrt, written
// to `scratch`, which is removed afterwards, and linted: what depends on weights or on the size of
// the picture is not found. It takes about a second, so that a study learns before it trains.
// Throws Error when `scratch` cannot be written.
std::optional<std::string> export_obstacle(const ModelOptions& model, OnnxProfile profile,
                                           const std::filesystem::path& scratch);

}  // namespace dualdepth::study
