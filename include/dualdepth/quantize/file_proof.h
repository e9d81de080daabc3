#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dualdepth/config/contract.h"
#include "dualdepth/graph/pictures.h"
#include "dualdepth/quantize/depth_error.h"
#include "dualdepth/quantize/quantize_graph.h"

// The proof that a written file is the quantized network.
namespace dualdepth::quantize {

// Share of the pixels on which the file, read back into a graph, has the level of the quantized
// graph and its fraction to one code (without levels: its depth to one code).
inline constexpr double kEqualPixels = 0.999;

// Throws Error naming `file` and a picture when a winning logit is clipped by the Relu or the
// lowest code of the logits (graph/clipped_winners.h).
void expect_no_clipped_winners(const graph::Graph& graph, const graph::Pictures& pictures,
                               const std::string& file);

// Holds a written file to the quantized graph:
//
//   1. read back into a graph, it is the quantized graph on kEqualPixels of the pixels;
//   2. as written, in OpenVINO's own operations, each layer is the quantized graph's
//      (quantize/layer_proof.h);
//   3. as written, its depth is finite.
//
// In step 2 OpenVINO runs the file with the codes of each QuantizeLinear as outputs. Convolutions
// stay in 8 bits, and each code is what the file says. Without these outputs, as in step 3 and in
// use, OpenVINO computes a convolution and the Add behind it as one and leaves out the rounding
// between them: about a quarter of the codes behind such an Add differ by one. The depth that is
// returned has this difference in it. Profile openvino has no codes there.
//
// value_names: of each node's value in the file. name: of the file, for messages. Returns the error
// of the file as written against quantization.reference in LibTorch. Throws Error naming the file,
// and layer and picture where one is to blame.
DepthError prove_file(const Quantization& quantization, const Contract& contract,
                      const std::filesystem::path& file,
                      const std::vector<std::string>& value_names, const graph::Pictures& pictures,
                      const std::string& name);

}  // namespace dualdepth::quantize
