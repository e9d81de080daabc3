#pragma once

#include <openvino/core/node_vector.hpp>
#include <openvino/runtime/core.hpp>
#include <string>

#include "dualdepth/graph/graph.h"

namespace dualdepth {

// The bytes of an ONNX model of one node of a graph, as the writer writes it: an input for each
// value that the node reads, in order, and one output.
std::string written_alone(const graph::Graph& graph, graph::NodeId id);

// The value that an ONNX model of one node has for these inputs: what OpenVINO's own reader makes
// of the model becomes part of the model that the inputs belong to. name: of the node, for
// messages. Throws Error when OpenVINO cannot read the node.
ov::Output<ov::Node> import_node(ov::Core& core, const std::string& onnx_model,
                                 const ov::OutputVector& inputs, const std::string& name);

}  // namespace dualdepth
