#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dualdepth/graph/graph.h"
#include "dualdepth/onnx/onnx_file.h"
#include "dualdepth/onnx/onnx_writer.h"

namespace dualdepth {

// A file with the changes that a quantizer made to its graph.
struct QuantizedCopy {
  std::unique_ptr<onnx::ModelProto> model;  // null: see `obstacle`
  std::string obstacle = {};                // why the file cannot be kept, as half a sentence
  // What had to change beside the quantized values, a sentence each.
  std::vector<std::string> notes = {};
  std::vector<std::string> value_names = {};  // of each node of the quantized graph
};

// Copies the model of `file` and changes what differs between `original`, the graph that was read
// from it (Node::file_value), and `quantized`:
//
//   FakeQuantize        QuantizeLinear and DequantizeLinear behind the value, read by the nodes
//   that
//                       read it in the graph
//   Conv                keeps its node; filters and bias become integer initializers behind a
//                       DequantizeLinear, or other float ones. A BatchNormalization that the graph
//                       has folded into it disappears
//   other weights       the node is written anew under its name
//   nodes of no file    are added (the Relu of a centred head)
//
// All else stays: names of nodes and values, opset, metadata, doc strings, symbolic dimensions, the
// order of nodes. An output that is quantized keeps its name, and the float value in front of it
// gets another. The opset is raised to what DequantizeLinear needs (13 for filters of a scale each,
// else 10); nodes whose form changed up to there are written anew.
//
// The file cannot be kept for profile npu, which needs opset 9, where the quantized graph has other
// outputs or another batch, and where two nodes of the graph read different forms of a value
// through one node of the file. options.metadata is added to the file's own.
QuantizedCopy quantized_copy(const OnnxFile& file, const graph::Graph& original,
                             const graph::Graph& quantized, const OnnxOptions& options);

}  // namespace dualdepth
