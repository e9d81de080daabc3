#pragma once

#include <string>

#include "dualdepth/graph/graph.h"

namespace dualdepth::quantize {

// Returns the fingerprint of a network: 40 hexadecimal digits that depend on its topology and its
// weights, and not on the size or the number of its pictures. It is the SHA-1 of one line for each
// node in the graph's order, then one for each output,
//
//   KIND INPUT...[ KEY=NUMBER,...][ KEY:SIZExSIZE...=SHA1]
//   output NAME=NODE
//
// with the numbers of the input nodes, the operator's attributes, and the SHA-1 of the bytes of
// each of its tensors (little-endian float32, row by row).
std::string network_fingerprint(const graph::Graph& graph);

}  // namespace dualdepth::quantize
