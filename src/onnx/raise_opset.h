#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace dualdepth {

// A node in the form of a newer opset. Its inputs behind those that it had are `constants`, in
// order and without names; one without a type stands for an optional input that is left out.
struct RaisedNode {
  onnx::NodeProto node;
  std::vector<onnx::TensorProto> constants = {};
};

// The node of opset `from` as opset `to` writes it: attributes that have become inputs (axes of
// Squeeze, min and max of Clip ...) are constants. Nothing where the operator has gone, means
// something else or takes its parameters in yet another way. Nodes of other domains stay as they
// are.
std::optional<RaisedNode> raise_opset(const onnx::NodeProto& node, int64_t from, int64_t to);

}  // namespace dualdepth
