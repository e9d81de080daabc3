#pragma once

#include <onnx/onnx_pb.h>
#include <torch/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dualdepth/graph/standard_node.h"
#include "dualdepth/onnx/onnx_file.h"

namespace dualdepth {

constexpr int64_t kUnknown = -1;

// What a file says, looked up by name: constants, producers, consumers, operator sets and, once
// inferred, shapes. The reader and the lint both see a file through it.
class OnnxView {
 public:
  explicit OnnxView(const OnnxFile& file);

  const onnx::GraphProto& graph() const { return file_.model().graph(); }
  const OnnxFile& file() const { return file_; }

  // The opset of a domain that the file imports. Throws Error when it imports none.
  int64_t opset(const std::string& domain) const;

  // The initializer or the `value` of the Constant of that name; nullptr when it is computed.
  const onnx::TensorProto* tensor(const std::string& value) const;
  // Its numbers, also from external data; nothing when it is computed or of a type without numbers.
  std::optional<torch::Tensor> constant(const std::string& value) const;

  // The node that computes a value; nullptr for inputs and initializers.
  const onnx::NodeProto* producer(const std::string& value) const;
  // How many nodes and outputs read a value.
  int consumers(const std::string& value) const;

  // Infers the shapes of all values by ONNX's own rules, for an input of these sizes where given;
  // those behind operators without a rule stay unknown.
  void infer_shapes(const std::map<std::string, graph::Shape>& inputs = {});
  bool knows_shape(const std::string& value) const { return shapes_.contains(value); }
  // Empty when unknown; kUnknown for a dynamic dimension.
  std::vector<int64_t> shape(const std::string& value) const;
  // TensorProto::DataType; UNDEFINED when unknown.
  int element_type(const std::string& value) const;

 private:
  void add_type(const onnx::ValueInfoProto& value);

  const OnnxFile& file_;
  std::map<std::string, const onnx::TensorProto*> tensors_;
  std::map<std::string, const onnx::NodeProto*> producers_;
  std::map<std::string, int> consumers_;
  std::map<std::string, std::vector<int64_t>> shapes_;
  std::map<std::string, int> types_;
};

// A node in the terms of the standard, without its inputs' values. Throws Unsupported for an
// attribute that is a graph, a sparse tensor or of a type without numbers.
graph::StandardNode to_standard(const OnnxView& view, const onnx::NodeProto& node);

}  // namespace dualdepth
