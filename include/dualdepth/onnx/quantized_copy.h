#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dualdepth/graph/graph.h"
#include "dualdepth/onnx/onnx_file.h"
#include "dualdepth/onnx/onnx_writer.h"

namespace dualdepth {

// An ONNX file with the changes that a quantizer made to its graph.
struct QuantizedCopy {
  std::unique_ptr<onnx::ModelProto> model;  // null: see `obstacle`
  std::string obstacle = {};                // why the file cannot be kept, as half a sentence
  // What had to change besides the quantized values, a sentence each.
  std::vector<std::string> notes = {};
  std::vector<std::string> value_names = {};  // of each node of the quantized graph
};

// Copies the model of `file` and changes what differs between `original`, the graph that was read
// from it (Node::file_value), and `quantized`:
//
//   FakeQuantize        QuantizeLinear and DequantizeLinear behind the value; the consumers of the
//                       FakeQuantize in the graph read their result
//   Conv, ConvTranspose keep their node; weight and bias become integer initializers behind a
//                       DequantizeLinear, or other float ones. With a BatchNormalization that the
//                       graph has folded into it, it is written anew, under its own name
//   other changed nodes are written anew, under their own names
//   new nodes           are added, such as the Relu of a centred head
//
// All else stays: names of nodes and values, foreign nodes, opset, metadata, doc strings, symbolic
// dimensions, the order of nodes. A quantized output keeps its name, and the float value before it
// gets another. External data is moved into the copy. Entries of options.metadata are added to
// those of the file, or replace them.
//
// The opset is raised where it is below what the quantized nodes need: 13 with a scale for each
// filter, else 10. Nodes whose form changed in between are raised, too: attributes that became
// inputs become initializers, an Upsample becomes a Resize. Outputs that the quantized graph does
// not have are left out, since equalization changes the values that they are computed from. Outputs
// that the file does not have, levels in place of logits, are added.
//
// The file cannot be kept, and the caller writes the graph with to_onnx() instead, where
//
//   - the profile is npu, which needs opset 9, and the file has a higher opset
//   - a value of the file has become an output, or one has got another name
//   - the graph is for another batch than the file
//   - nodes of the graph need different forms of a value from one node of the file
//   - the file has a symbolic dimension, and a node that computes from sizes (Shape) would have to
//     be written anew, for one size
//   - checked_onnx() refuses the copy, as it refuses a file whose outputs have no type
QuantizedCopy quantized_copy(const OnnxFile& file, const graph::Graph& original,
                             const graph::Graph& quantized, const OnnxOptions& options);

}  // namespace dualdepth
