// How the reader understands the ONNX standard where the project's cases do not reach: constants,
// quantized files, foreign nodes and files that mean harm.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/onnx/onnx_reader.h"
#include "dualdepth/onnx/onnx_writer.h"
#include "one_node_model.h"

namespace dualdepth {
namespace {

using graph::Affine;
using graph::Conv;
using graph::FakeQuantize;
using graph::Graph;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::ModelBuilder;
using testing::TempFolder;
using ::testing::ThrowsMessage;

Graph read(const ModelBuilder& model, const OnnxReadOptions& options = {}) {
  const TempFolder folder;
  return read_onnx(OnnxFile(model.write(folder)), options);
}

torch::Tensor run(const Graph& graph, const torch::Tensor& x) {
  return graph::run_graph(graph, x, graph::output_nodes(graph)).at(0);
}

void expect_refused(const ModelBuilder& model, const std::string& text) {
  EXPECT_THAT([&] { read(model); },
              ThrowsMessage<Error>(AllOf(HasSubstr("m.onnx"), HasSubstr(text))));
}

// [8] broadcasts along the width of [1, 3, 8, 8]; [3, 1, 1] along the channels.
TEST(OnnxArithmetic, ConstantsBroadcastAtTheirLastDimension) {
  ModelBuilder wide;
  wide.add_floats("c", {8}, {0, 1, 2, 3, 4, 5, 6, 7});
  wide.add("Mul", {"x", "c"}, "y");
  wide.end("y");
  const auto y = run(read(wide), torch::ones({1, 3, 8, 8}));
  EXPECT_TRUE(y.equal(torch::arange(8, torch::kFloat32).expand({1, 3, 8, 8})));

  ModelBuilder channels;
  channels.add_floats("c", {3, 1, 1}, {1, 2, 3});
  channels.add("Mul", {"x", "c"}, "y");
  channels.end("y");
  const Graph graph = read(channels);
  EXPECT_TRUE(std::holds_alternative<Affine>(graph.node(1).operation));
  const auto z = run(graph, torch::ones({1, 3, 8, 8}));
  EXPECT_EQ(z[0][2][0][0].item<float>(), 3);
}

// As PyTorch exports x.view(x.size(0), -1): Shape -> Gather -> Unsqueeze -> Concat -> Reshape.
TEST(OnnxConstants, TheArithmeticOfShapesIsComputed) {
  ModelBuilder model;
  model.add_integers("zero", {0});
  model.add_integers("rest", {-1});
  model.add("Shape", {"x"}, "shape");
  ModelBuilder::set(model.add("Gather", {"shape", "zero"}, "batch"), "axis", int64_t{0});
  ModelBuilder::set(model.add("Concat", {"batch", "rest"}, "sizes"), "axis", int64_t{0});
  model.add("Reshape", {"x", "sizes"}, "y");
  model.end("y");
  const Graph graph = read(model);
  ASSERT_EQ(graph.nodes().size(), 2u);
  EXPECT_EQ(graph.node(1).shape, (graph::Shape{1, 192}));
}

// y = gamma (x - mean) / sqrt(variance + 0) + beta behind a 1x1 convolution of weight 2, bias 1:
// 3 ((2 x + 1) - 5) / 2 + 7 = 3 x + 1.
TEST(OnnxBatchNormalization, IsFoldedIntoTheConvolutionBeforeIt) {
  ModelBuilder model;
  model.add_floats("w", {1, 3, 1, 1}, {2, 0, 0});
  model.add_floats("b", {1}, {1});
  model.add_floats("gamma", {1}, {3});
  model.add_floats("beta", {1}, {7});
  model.add_floats("mean", {1}, {5});
  model.add_floats("variance", {1}, {4});
  model.add("Conv", {"x", "w", "b"}, "c");
  auto& norm = model.add("BatchNormalization", {"c", "gamma", "beta", "mean", "variance"}, "y");
  auto* epsilon = norm.add_attribute();
  epsilon->set_name("epsilon");
  epsilon->set_type(onnx::AttributeProto::FLOAT);
  epsilon->set_f(0);
  model.end("y");
  const Graph graph = read(model);
  ASSERT_EQ(graph.nodes().size(), 2u);
  const auto y = run(graph, torch::full({1, 3, 8, 8}, 2.0F));
  EXPECT_NEAR(y[0][0][0][0].item<double>(), 7, 1e-5);
}

// A square filter whose scales lie along axis 1, the default: w[o][c] = code[o][c] * scale[c].
ModelBuilder dequantized_filters(const std::vector<int>& codes, onnx::TensorProto::DataType type,
                                 int zero) {
  ModelBuilder model(13);
  model.add_codes("codes", {3, 3, 1, 1}, codes, type);
  model.add_floats("scale", {3}, {1, 10, 100});
  model.add_codes("zero", {3}, {zero, zero, zero}, type);
  return model;
}

TEST(OnnxDequantizeLinear, ScalesLieAlongItsAxisWhoseDefaultIsOne) {
  auto model = dequantized_filters({1, 2, 3, 4, 5, 6, 7, 8, 9}, onnx::TensorProto::INT8, 0);
  model.add("DequantizeLinear", {"codes", "scale", "zero"}, "w");
  model.add("Conv", {"x", "w"}, "y");
  model.end("y");
  const Graph graph = read(model);
  const auto& conv = std::get<Conv>(graph.node(1).operation);
  EXPECT_TRUE(conv.weight.flatten().equal(
      torch::tensor({1.F, 20.F, 300.F, 4.F, 50.F, 600.F, 7.F, 80.F, 900.F})));
  // Not the scale of a filter each: the weights are float.
  EXPECT_FALSE(conv.weight_scale.defined());
}

TEST(OnnxDequantizeLinear, AZeroPointOfFiltersIsSubtracted) {
  auto model = dequantized_filters({128, 129, 130, 127, 126, 125, 128, 128, 255},
                                   onnx::TensorProto::UINT8, 128);
  ModelBuilder::set(model.add("DequantizeLinear", {"codes", "scale", "zero"}, "w"), "axis",
                    int64_t{0});
  model.add("Conv", {"x", "w"}, "y");
  model.end("y");
  const Graph graph = read(model);
  const auto& conv = std::get<Conv>(graph.node(1).operation);
  EXPECT_TRUE(conv.weight.flatten().equal(
      torch::tensor({0.F, 1.F, 2.F, -10.F, -20.F, -30.F, 0.F, 0.F, 12700.F})));
  EXPECT_TRUE(conv.weight_scale.equal(torch::tensor({1.F, 10.F, 100.F})));
}

ModelBuilder quantized_pair(float second_scale) {
  ModelBuilder model(21);
  model.add_floats("s", {}, {0.5F});
  model.add_floats("s2", {}, {second_scale});
  ModelBuilder::set(model.add("QuantizeLinear", {"x", "s"}, "q"), "output_dtype", int64_t{3});
  model.add("DequantizeLinear", {"q", "s2"}, "y");
  model.end("y");
  return model;
}

TEST(OnnxQuantizeLinear, OutputDtypeChoosesTheCodes) {
  const Graph graph = read(quantized_pair(0.5F));
  EXPECT_EQ(std::get<FakeQuantize>(graph.node(1).operation), (FakeQuantize{0.5F, 0, true}));
}

TEST(OnnxQuantizeLinear, TheScaleOfItsDequantizeLinearMustBeItsOwn) {
  expect_refused(quantized_pair(0.25F), "scale and zero point of its QuantizeLinear");
}

TEST(OnnxReader, AnAttributeThatNothingReadsIsRefused) {
  ModelBuilder model;
  ModelBuilder::set(model.add("Relu", {"x"}, "y"), "slope_in_percent", int64_t{3});
  model.end("y");
  expect_refused(model, "slope_in_percent");
}

TEST(ForeignNode, IsComputedByTheRuntimeAndWrittenAsItWas) {
  ModelBuilder model;
  model.add_floats("bias", {3}, {1, 2, 3});
  model.add("Relu", {"x"}, "r");
  auto& node = model.add("InstanceNormalization", {"r", "bias", "bias"}, "n");
  node.set_name("/decoder/InstanceNormalization");
  model.add("Relu", {"n"}, "y");
  model.end("y");
  std::string asked;
  const OnnxReadOptions options{.foreign = [&](const std::string& bytes) {
    asked = bytes;
    return [](std::span<const torch::Tensor> inputs) {
      EXPECT_EQ(inputs.size(), 1u);  // of the constants the model knows
      return inputs[0] - 1;
    };
  }};
  const Graph graph = read(model, options);
  onnx::ModelProto alone;
  ASSERT_TRUE(alone.ParseFromString(asked));
  EXPECT_EQ(alone.graph().node(0).op_type(), "InstanceNormalization");
  EXPECT_EQ(alone.graph().input_size(), 1);
  EXPECT_EQ(alone.graph().initializer_size(), 1);  // bias, which is read twice
  const auto y = run(graph, torch::full({1, 3, 8, 8}, 2.0F));
  EXPECT_TRUE(y.equal(torch::full({1, 3, 8, 8}, 1.0F)));
  const auto written = to_onnx(graph, {});
  const auto names = graph::node_names(graph);
  EXPECT_EQ(std::ranges::count(names, "/decoder/InstanceNormalization"), 1);
  bool found = false;
  for (const auto& one : written->graph().node()) found |= one.op_type() == node.op_type();
  EXPECT_TRUE(found);
}

// A file's node is found again by the value that it computes.
TEST(OnnxReader, NamesTheValuesOfTheFileThatItsNodesCompute) {
  ModelBuilder model;
  model.add_floats("w", {2, 3, 1, 1}, {1, 2, 3, 4, 5, 6});
  model.add_floats("one", {2}, {1, 1});
  model.add("Conv", {"x", "w"}, "c");
  model.add("BatchNormalization", {"c", "one", "one", "one", "one"}, "b");
  model.add("Identity", {"b"}, "i");
  model.add("Relu", {"i"}, "y");
  model.end("y");
  const Graph graph = read(model);
  ASSERT_EQ(graph.nodes().size(), 3u);
  EXPECT_EQ(graph.node(0).file_value, "x");
  EXPECT_EQ(graph.node(1).file_value, "b");  // the convolution with the normalization in it
  EXPECT_EQ(graph.node(2).file_value, "y");
}

// Files that mean harm.

TEST(HostileOnnx, CyclesAreRefused) {
  ModelBuilder model;
  model.add("MaxPool", {"b"}, "a");
  model.add("MaxPool", {"a"}, "b");
  model.end("b");
  expect_refused(model, "a value b that a node before it computes");
}

TEST(HostileOnnx, AValueThatIsComputedTwiceIsRefused) {
  ModelBuilder model;
  model.add("Relu", {"x"}, "y");
  model.add("Sigmoid", {"x"}, "y");
  model.end("y");
  expect_refused(model, "y twice");
}

TEST(HostileOnnx, NodesWithoutInputsAreRefused) {
  for (const char* kind : {"Conv", "Relu", "MaxPool", "DequantizeLinear", "Add", "Concat", "Resize",
                           "Reshape", "Slice", "Pad", "Gemm", "Constant", "BatchNormalization"}) {
    ModelBuilder model;
    model.add(kind, {}, "y");
    model.end("y");
    EXPECT_THROW(read(model), Error) << kind;
  }
}

TEST(HostileOnnx, SizesThatOverflowAreRefused) {
  const int64_t huge = int64_t{1} << 62;
  for (const char* name : {"pads", "dilations", "strides", "kernel_shape"}) {
    ModelBuilder model;
    auto& node = model.add("MaxPool", {"x"}, "y");
    if (std::string(name) != "kernel_shape") ModelBuilder::set(node, "kernel_shape", {2, 2});
    const bool four = std::string(name) == "pads";
    ModelBuilder::set(node, name, std::vector<int64_t>(four ? 4 : 2, huge));
    model.end("y");
    expect_refused(model, name);
  }
  ModelBuilder pad;
  pad.add_integers("pads", {0, 0, huge, huge, 0, 0, huge, huge});
  pad.add("Pad", {"x", "pads"}, "y");
  pad.end("y");
  expect_refused(pad, "2^31");
  ModelBuilder expand;
  expand.add_integers("sizes", {1 << 20, 3, 1 << 20, 1 << 20});
  expand.add("Expand", {"x", "sizes"}, "y");
  expand.end("y");
  EXPECT_THROW(read(expand), Error);
  ModelBuilder fill;
  fill.add_integers("sizes", {1 << 20, 1 << 20});
  fill.add("ConstantOfShape", {"sizes"}, "y");
  fill.end("y");
  EXPECT_THROW(read(fill), Error);
}

// 2^300 ways lead through 300 MaxPools that are joined with themselves.
TEST(HostileOnnx, ChainsTakeTimeInProportionToTheirLength) {
  ModelBuilder model;
  std::string before = "x";
  for (int i = 0; i < 300; ++i) {
    auto& node = model.add("Max", {before, before}, "v" + std::to_string(i));
    before = node.output(0);
  }
  model.end(before);
  EXPECT_EQ(read(model).nodes().size(), 301u);
}

TEST(HostileOnnx, ExternalDataOfAnAttributeMayNotLeaveTheFolder) {
  ModelBuilder model;
  auto& node = model.graph();
  auto* constant = node.add_node();
  constant->set_op_type("Constant");
  constant->add_output("c");
  auto* attribute = constant->add_attribute();
  attribute->set_name("value");
  attribute->set_type(onnx::AttributeProto::TENSOR);
  auto* tensor = attribute->mutable_t();
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  tensor->add_dims(1);
  tensor->set_data_location(onnx::TensorProto::EXTERNAL);
  auto* entry = tensor->add_external_data();
  entry->set_key("location");
  entry->set_value("../secret");
  model.add("Mul", {"x", "c"}, "y");
  model.end("y");
  expect_refused(model, "own folder");
}

TEST(OnnxReader, ReadsExternalData) {
  const TempFolder folder;
  ModelBuilder model;
  auto* tensor = model.graph().add_initializer();
  tensor->set_name("c");
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  tensor->set_data_location(onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] :
       {std::pair{"location", "data.bin"}, std::pair{"offset", "4"}, std::pair{"length", "4"}}) {
    auto* entry = tensor->add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  model.add("Mul", {"x", "c"}, "y");
  model.end("y");
  const float numbers[] = {7, 2.5F};
  std::ofstream(folder / "data.bin", std::ios::binary)
      .write(reinterpret_cast<const char*>(numbers), sizeof(numbers));
  const Graph graph = read_onnx(OnnxFile(model.write(folder)));
  EXPECT_EQ(run(graph, torch::ones({1, 3, 8, 8}))[0][0][0][0].item<float>(), 2.5F);
}

}  // namespace
}  // namespace dualdepth
