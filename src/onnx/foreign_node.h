#pragma once

#include <map>
#include <string>
#include <vector>

#include "dualdepth/graph/graph.h"
#include "dualdepth/onnx/onnx_reader.h"
#include "onnx_view.h"

namespace dualdepth {

// Makes Foreign nodes of what the operator table cannot express.
class ForeignNodes {
 public:
  ForeignNodes(const OnnxView& view, const OnnxReadOptions& options)
      : view_(view), options_(options) {}

  void add_input(const std::string& name, const graph::Shape& shape) { inputs_[name] = shape; }

  // Adds a node for each output. Throws Error when ONNX cannot infer the shape of one or the node
  // holds a graph of its own.
  std::vector<graph::StandardValue> add(graph::Graph& graph, const onnx::NodeProto& node,
                                        const std::vector<graph::StandardValue>& inputs,
                                        const std::string& module);

  // The values of a node that reads constants only, computed by the runtime.
  std::vector<graph::StandardValue> fold(const onnx::NodeProto& node,
                                         const std::vector<graph::StandardValue>& inputs) const;

 private:
  std::string model_of(const onnx::NodeProto& node, int output, int element,
                       const std::vector<graph::StandardValue>& inputs,
                       const graph::Graph& graph) const;

  const OnnxView& view_;
  const OnnxReadOptions& options_;
  std::map<std::string, graph::Shape> inputs_;
  std::optional<OnnxView> inferred_;
};

}  // namespace dualdepth
