#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "dualdepth/graph/run_graph.h"
#include "dualdepth/onnx/onnx_reader.h"
#include "dualdepth/onnx/quantized_copy.h"
#include "one_node_model.h"

// Files that are copied with the changes of a quantizer.
namespace dualdepth::testing {

using graph::Conv;
using graph::FakeQuantize;
using graph::Graph;
using graph::NodeId;

// The file, and its graph.
class QuantizedCopies : public ::testing::Test {
 protected:
  void read(const ModelBuilder& model, const OnnxReadOptions& options = {}) {
    file_.emplace(model.write(folder_));
    original_ = read_onnx(*file_, options);
  }

  // Checks the copy as each file that is written, and returns what it says.
  onnx::ModelProto copied(const Graph& quantized, const OnnxOptions& options = {}) {
    auto copy = quantized_copy(*file_, original_, quantized, options);
    EXPECT_EQ(copy.obstacle, "");
    notes_ = copy.notes;
    names_ = copy.value_names;
    if (!copy.model) return {};
    write_onnx(*copy.model, folder_ / "copy.onnx");
    return *copy.model;
  }

  std::string obstacle(const Graph& quantized, const OnnxOptions& options = {}) {
    const auto copy = quantized_copy(*file_, original_, quantized, options);
    EXPECT_EQ(copy.model, nullptr);
    return copy.obstacle;
  }

  // What the copy computes is what `quantized` does.
  void expect_computes(const Graph& quantized, const OnnxReadOptions& options = {}) const {
    torch::manual_seed(3);
    const auto x = torch::randn({1, 3, 8, 8});
    const Graph read = read_onnx(OnnxFile(folder_ / "copy.onnx"), options);
    const auto expected = graph::run_graph(quantized, x, graph::output_nodes(quantized));
    const auto got = graph::run_graph(read, x, graph::output_nodes(read));
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(got[i].equal(expected[i])) << i;
  }

  NodeId node(const std::string& value) const {
    for (NodeId id = 0; id < original_.nodes().size(); ++id) {
      if (original_.node(id).file_value == value) return id;
    }
    ADD_FAILURE() << "no node computes " << value;
    return 0;
  }

  TempFolder folder_;
  std::optional<OnnxFile> file_;
  Graph original_;
  std::vector<std::string> notes_, names_;
};

// y = Relu(Conv(x)) with one filter 1, -0.5, 0.25 and bias 0.375.
inline ModelBuilder conv_and_relu(int64_t opset = 13) {
  ModelBuilder model(opset);
  model.add_floats("filters", {1, 3, 1, 1}, {1, -0.5F, 0.25F});
  model.add_floats("shift", {1}, {0.375F});
  model.add("Conv", {"x", "filters", "shift"}, "c");
  model.add("Relu", {"c"}, "y");
  model.end_map("y");
  return model;
}

// Codes for x with scale 0.5, for the filters with scale 0.25, for y with scale 0.125.
inline Graph with_codes(const Graph& original, const torch::Tensor& weight_scale) {
  Graph graph = graph::insert_behind(original, 2, FakeQuantize{0.125F, 0, false});
  graph = graph::insert_behind(graph, 0, FakeQuantize{0.5F, 3, false});
  Conv conv = std::get<Conv>(graph.node(2).operation);
  conv.weight_scale = weight_scale;
  graph.replace(2, conv);
  return graph;
}

inline const onnx::NodeProto& named(const onnx::ModelProto& model, const std::string& name) {
  static const onnx::NodeProto kNone;
  for (const auto& node : model.graph().node()) {
    if (node.name() == name) return node;
  }
  ADD_FAILURE() << "no node " << name;
  return kNone;
}

inline const onnx::NodeProto& producer(const onnx::ModelProto& model, const std::string& value) {
  static const onnx::NodeProto kNone;
  for (const auto& node : model.graph().node()) {
    if (std::ranges::find(node.output(), value) != node.output().end()) return node;
  }
  ADD_FAILURE() << "no node computes " << value;
  return kNone;
}

inline std::vector<std::string> types(const onnx::ModelProto& model) {
  std::vector<std::string> all;
  for (const auto& node : model.graph().node()) all.push_back(node.op_type());
  return all;
}

// The codes behind a DequantizeLinear of constants.
template <class Number>
std::vector<Number> codes(const onnx::ModelProto& model, const std::string& value) {
  const auto& name = producer(model, value).input(0);
  for (const auto& tensor : model.graph().initializer()) {
    if (tensor.name() != name) continue;
    const std::string& bytes = tensor.raw_data();
    std::vector<Number> numbers(bytes.size() / sizeof(Number));
    std::memcpy(numbers.data(), bytes.data(), bytes.size());
    return numbers;
  }
  ADD_FAILURE() << "no codes " << name;
  return {};
}

}  // namespace dualdepth::testing
