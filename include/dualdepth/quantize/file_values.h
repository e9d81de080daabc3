#pragma once

#include <string>
#include <vector>

#include "dualdepth/graph/graph.h"

namespace onnx {
class ModelProto;
}

namespace dualdepth::quantize {

// How a file holds the nodes of a graph.
struct FileValues {
  std::vector<std::string> values;  // their names: onnx::value_names(), Node::file_value
  std::vector<std::string> codes;   // of a FakeQuantize: what its QuantizeLinear returns
  // A convolution in 8 bits has its bias in float, as for TensorRT: it is added to the sum of whole
  // numbers as it is. Elsewhere it is rounded to a whole number first (graph::integer_bias).
  std::vector<bool> float_bias;
};

// Finds the codes of each FakeQuantize: what the DequantizeLinear that makes values[node] reads.
// Throws Error naming `file` and the value where there is no such pair.
FileValues file_values(const graph::Graph& graph, std::vector<std::string> values,
                       const onnx::ModelProto& model, const std::string& file);

}  // namespace dualdepth::quantize
