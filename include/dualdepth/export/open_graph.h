#pragma once

#include <cstdint>
#include <filesystem>

#include "dualdepth/config/export_options.h"
#include "dualdepth/graph/graph.h"

namespace dualdepth {

// The outputs of the network graph of a checkpoint: logits where the head may return them, else
// those that it is exported with.
ModelOutputs graph_outputs(HeadKind head);

// The network graph of a checkpoint (traced, with graph_outputs()) or of an ONNX file.
// height, width: of the picture; 0: the checkpoint's or the file's own. Throws Error naming the
// file.
graph::Graph open_graph(const std::filesystem::path& file, int64_t height = 0, int64_t width = 0);

}  // namespace dualdepth
