#include "dualdepth/runtime/foreign_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/onnx/onnx_writer.h"
#include "dualdepth/runtime/exported_model.h"
#include "onnx/one_node_model.h"

namespace dualdepth {
namespace {

using graph::Graph;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::ModelBuilder;
using testing::TempFolder;
using ::testing::ThrowsMessage;

Graph read(const ModelBuilder& model) {
  const TempFolder folder;
  return read_onnx(OnnxFile(model.write(folder)), {.foreign = openvino_foreign_runtime()});
}

torch::Tensor run(const Graph& graph, const torch::Tensor& x) {
  return graph::run_graph(graph, x, graph::output_nodes(graph))[0];
}

torch::Tensor run_lowered(const Graph& graph, const torch::Tensor& x) {
  return open_lowered(graph, {})->run(x).at("y");
}

// x -> InstanceNormalization with scales 1, 2, 3 and shifts 0, -1, 4 -> Relu -> y.
ModelBuilder normalizing_model() {
  ModelBuilder model;
  model.add_floats("scale", {3}, {1, 2, 3});
  model.add_floats("shift", {3}, {0, -1, 4});
  model.add("InstanceNormalization", {"x", "scale", "shift"}, "n");
  model.add("Relu", {"n"}, "y");
  model.end("y");
  return model;
}

// The operator's formula: (x - mean) / sqrt(variance + epsilon), over height and width.
torch::Tensor normalized(const torch::Tensor& x) {
  const auto mean = x.mean({2, 3}, true);
  const auto variance = (x - mean).square().mean({2, 3}, true);
  const auto scale = torch::tensor({1.F, 2.F, 3.F}).view({1, 3, 1, 1});
  const auto shift = torch::tensor({0.F, -1.F, 4.F}).view({1, 3, 1, 1});
  return ((x - mean) / (variance + 1e-5).sqrt() * scale + shift).relu();
}

TEST(ForeignRuntime, ComputesAndLowersANodeThatTheGraphHasNoOperatorFor) {
  torch::manual_seed(1);
  const auto x = torch::randn({1, 3, 8, 8});
  const Graph graph = read(normalizing_model());
  EXPECT_EQ(kind_name(graph.node(1).operation), "InstanceNormalization");
  EXPECT_LT((run(graph, x) - normalized(x)).abs().max().item<double>(), 1e-5);
  EXPECT_LT((run_lowered(graph, x) - normalized(x)).abs().max().item<double>(), 1e-5);
}

TEST(ForeignRuntime, ReadsBackWhatTheWriterWrote) {
  torch::manual_seed(2);
  const auto x = torch::randn({1, 3, 8, 8});
  const TempFolder folder;
  write_onnx(*to_onnx(read(normalizing_model()), {}), folder / "written.onnx");
  const OnnxFile file(folder / "written.onnx");
  const Graph graph = read_onnx(file, {.foreign = openvino_foreign_runtime()});
  EXPECT_LT((run(graph, x) - normalized(x)).abs().max().item<double>(), 1e-5);
}

// Where(Equal([1, -1], [-1, -1]), [5, 5], [1, -1]) = [1, 5], a shape that PyTorch exports.
TEST(ForeignRuntime, ComputesWhatReadsConstantsOnly) {
  ModelBuilder model;
  model.add_integers("sizes", {1, -1});
  model.add_integers("minus", {-1, -1});
  model.add_integers("fives", {3, 64});
  model.add("Equal", {"sizes", "minus"}, "is_minus");
  model.add("Where", {"is_minus", "fives", "sizes"}, "shape");
  model.add("Reshape", {"x", "shape"}, "r");
  ModelBuilder::set(model.add("Concat", {"r"}, "y"), "axis", int64_t{0});
  model.graph().mutable_initializer(2)->set_int64_data(1, 192);
  model.end("y");
  const Graph graph = read(model);
  EXPECT_EQ(graph.node(graph.output("y")).shape, (graph::Shape{1, 192}));
}

TEST(ForeignRuntime, NamesTheOperatorThatNobodyKnows) {
  ModelBuilder model;
  model.add("Nonesuch", {"x"}, "n");
  model.add("Relu", {"n"}, "y");
  model.end("y");
  EXPECT_THAT([&] { run(read(model), torch::zeros({1, 3, 8, 8})); },
              ThrowsMessage<Error>(AllOf(HasSubstr("Nonesuch"), HasSubstr("the_Nonesuch"))));
}

}  // namespace
}  // namespace dualdepth
