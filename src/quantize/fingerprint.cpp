#include "dualdepth/quantize/fingerprint.h"

#include <c10/util/hash.h>

#include "dualdepth/onnx/onnx_writer.h"

namespace dualdepth::quantize {

std::string network_fingerprint(const graph::Graph& graph) {
  return c10::sha1(graph_bytes(graph)).str();
}

}  // namespace dualdepth::quantize
