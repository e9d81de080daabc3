#pragma once

#include <cstdint>
#include <filesystem>

#include "dualdepth/deploy/graph.h"

namespace dualdepth::deploy {

// The deploy graph of a checkpoint (traced, outputs logits and fraction) or of an ONNX file.
// height, width: of the picture; 0: the checkpoint's or the file's own. Throws Error naming the
// file.
Graph open_graph(const std::filesystem::path& file, int64_t height = 0, int64_t width = 0);

}  // namespace dualdepth::deploy
