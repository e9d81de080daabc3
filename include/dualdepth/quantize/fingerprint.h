#pragma once

#include <string>

#include "dualdepth/graph/graph.h"

namespace dualdepth::quantize {

// The fingerprint of a network: 40 hexadecimal digits, the SHA-1 of graph_bytes()
// (onnx/onnx_writer.h). It depends on the operators, their attributes, weights and names, and not
// on the size or the number of the pictures.
std::string network_fingerprint(const graph::Graph& graph);

}  // namespace dualdepth::quantize
