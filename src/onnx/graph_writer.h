#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "dualdepth/graph/standard_node.h"
#include "dualdepth/onnx/onnx_writer.h"

namespace dualdepth {

// What a graph's nodes and their values are called in a file, and names that are taken already.
struct FileNames {
  std::vector<std::string> nodes, values;
  std::set<std::string> taken;
};

// The oldest opset that has what the quantized nodes of the graph are written as: 13 for filters
// with a scale each, else 10. Profile npu takes opset 9 and Q/DQ of com.microsoft.
int64_t quantized_opset(const graph::Graph& graph, OnnxProfile profile);

// Imports the domain com.microsoft into a model whose Q/DQ are of it.
void add_quantizer_domain(onnx::ModelProto& model);

// Writes nodes of a graph as ONNX nodes and initializers. All names come from `names`, which
// learns those that are given to initializers.
class GraphWriter : public graph::NodeWriter {
 public:
  GraphWriter(const graph::Graph& graph, const OnnxOptions& options, int64_t opset,
              FileNames& names, onnx::GraphProto& out);

  // All nodes, the graph's input and outputs.
  void write_all();
  // One node that is no input.
  void write(graph::NodeId id);
  // TensorProto::DataType of a node's value as it is written.
  int type_of(graph::NodeId id) const;

  const graph::Graph& graph() const override { return graph_; }
  graph::NodeId id() const override { return id_; }
  OnnxProfile profile() const override { return options_.profile; }
  int64_t opset() const override { return opset_; }
  std::string name() const override;
  std::string input(size_t i) const override { return names_.values[graph_.node(id_).inputs[i]]; }
  void make(const graph::WrittenNode& node) override;
  std::string begin(const graph::WrittenNode& node, const char* suffix) override;
  void end(const graph::WrittenNode& node, const char* suffix) override;
  std::string step(const graph::WrittenNode& node) override;
  void finish(const std::string& value) override;
  void make_foreign(const graph::Foreign& foreign) override;
  std::string constant(const std::string& name, const torch::Tensor& tensor,
                       const std::vector<int64_t>& shape) override;

 private:
  std::string unique_name(const std::string& name);
  void add(const graph::WrittenNode& written, const std::string& name, const std::string& output);
  void write_input(const graph::Input& input);

  const graph::Graph& graph_;
  OnnxOptions options_;
  onnx::GraphProto& out_;
  int64_t opset_;
  FileNames& names_;
  graph::NodeId id_ = 0;
  int steps_ = 0;
};

}  // namespace dualdepth
