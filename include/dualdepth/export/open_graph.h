#pragma once

#include <cstdint>
#include <filesystem>

#include "dualdepth/graph/graph.h"

namespace dualdepth {

// The network graph of a checkpoint (traced, outputs logits and fraction) or of an ONNX file.
// height, width: of the picture; 0: the checkpoint's or the file's own. Throws Error naming the
// file.
graph::Graph open_graph(const std::filesystem::path& file, int64_t height = 0, int64_t width = 0);

}  // namespace dualdepth
