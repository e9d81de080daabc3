// Files of single operators, lowered to OpenVINO, against the ONNX project's expected outputs.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/operator_table.h"
#include "dualdepth/runtime/exported_model.h"
#include "testing/operator_cases.h"

namespace dualdepth {
namespace {

using graph::Graph;
using graph::NodeId;
using testing::OperatorCases;

// The graph with all inputs but the first as constants: a model has one picture.
Graph of_one_input(const Graph& graph, const std::vector<torch::Tensor>& inputs) {
  Graph single;
  std::vector<NodeId> renamed;
  size_t next = 0;
  for (const auto& node : graph.nodes()) {
    const bool is_input = std::holds_alternative<graph::Input>(node.operation);
    if (is_input && next++ > 0) {
      renamed.push_back(single.add(graph::Constant{inputs.at(next - 1)}, {}, ""));
    } else {
      renamed.push_back(add_copy(single, node, renamed));
    }
  }
  single.set_outputs(renamed_outputs(graph, renamed));
  return single;
}

TEST(LoweredCases, GiveTheExpectedOutputs) {
  DUALDEPTH_NEEDS_INTEROP();
  const OperatorCases cases;
  const auto known = graph::standard_operators();
  std::map<std::string, int> count;
  for (const auto& one : cases.all()) {
    if (!std::ranges::binary_search(known, one.kind)) continue;
    const auto inputs = cases.inputs(one);
    // OpenVINO's CPU computes whole numbers of 8 and 16 bits as float.
    const bool floats = !inputs.empty() && std::ranges::all_of(inputs, [](const auto& input) {
      return input.scalar_type() == torch::kFloat32 && input.numel() > 0;
    });
    if (!floats) continue;
    Graph graph;
    try {
      const OnnxFile file(cases.model(one));
      graph = of_one_input(read_onnx(file), inputs);
    } catch (const Error&) {
      continue;  // which the cases of room onnx count
    }
    try {
      const auto got = open_lowered(graph, {})->run(inputs[0]);
      std::vector<torch::Tensor> outputs;
      for (const auto& output : graph.outputs()) outputs.push_back(got.at(output.name));
      const auto wrong = OperatorCases::difference(outputs, cases.expected(one), one);
      EXPECT_EQ(wrong, "") << one.name;
      if (wrong.empty()) ++count[one.kind];
    } catch (const std::exception& error) {
      ADD_FAILURE() << one.name << ": " << error.what();
    }
  }
  for (const auto& [kind, number] : count) fmt::print("{} {}\n", kind, number);
  EXPECT_GE(count.size(), 50);
}

}  // namespace
}  // namespace dualdepth
