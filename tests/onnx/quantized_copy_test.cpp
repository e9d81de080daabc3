// A quantized file is the original with the quantizer's changes in it. Codes are computed by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "copied_model.h"
#include "dualdepth/graph/passes.h"

namespace dualdepth {
namespace {

using graph::FakeQuantize;
using graph::Graph;
using graph::NodeId;
using testing::codes;
using testing::conv_and_relu;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ModelBuilder;
using testing::named;
using testing::producer;
using testing::QuantizedCopies;
using testing::types;
using testing::with_codes;

// Filters are 1, -0.5 and 0.25 times 1 / 0.25; the bias 0.375 / (0.5 * 0.25) = 3.
TEST_F(QuantizedCopies, PutsCodesIntoTheFile) {
  read(conv_and_relu());
  const Graph quantized = with_codes(original_, torch::tensor({0.25F}));
  const auto model = copied(quantized);
  const auto& conv = named(model, "the_Conv");
  EXPECT_THAT(conv.output(), ElementsAre("c"));
  EXPECT_THAT(codes<int8_t>(model, conv.input(1)), ElementsAre(4, -2, 1));
  EXPECT_THAT(codes<int32_t>(model, conv.input(2)), ElementsAre(3));
  EXPECT_EQ(producer(model, conv.input(0)).op_type(), "DequantizeLinear");
  const auto& quantize = producer(model, producer(model, conv.input(0)).input(0));
  EXPECT_EQ(quantize.op_type(), "QuantizeLinear");
  EXPECT_EQ(quantize.input(0), "x");
  for (const auto& tensor : model.graph().initializer()) {
    EXPECT_NE(tensor.name(), "filters");
    EXPECT_NE(tensor.name(), "shift");
  }
  EXPECT_THAT(notes_, ElementsAre());
  expect_computes(quantized);
}

TEST_F(QuantizedCopies, GivesAnOutputOfCodesItsName) {
  read(conv_and_relu());
  const auto model = copied(with_codes(original_, torch::tensor({0.25F})));
  EXPECT_EQ(producer(model, "y").op_type(), "DequantizeLinear");
  EXPECT_THAT(named(model, "the_Relu").input(), ElementsAre("c"));
  EXPECT_THAT(named(model, "the_Relu").output(), ElementsAre("y_float"));
  EXPECT_THAT(names_, ElementsAre("x", "x/FakeQuantize_output_0", "c", "y_float", "y"));
}

TEST_F(QuantizedCopies, KeepsWhatItDoesNotQuantize) {
  ModelBuilder builder = conv_and_relu(17);
  auto& file = builder.model;
  file.set_producer_name("another exporter");
  file.set_doc_string("a model");
  file.add_metadata_props()->set_key("author");
  file.mutable_metadata_props(0)->set_value("somebody");
  file.mutable_graph()->set_doc_string("a graph");
  file.mutable_graph()->mutable_node(0)->set_doc_string("a convolution");
  for (const int axis : {0, 2, 3}) {
    auto& shape = *file.mutable_graph()
                       ->mutable_input(0)
                       ->mutable_type()
                       ->mutable_tensor_type()
                       ->mutable_shape();
    shape.mutable_dim(axis)->set_dim_param("d" + std::to_string(axis));
  }
  read(builder, {.height = 8, .width = 8});
  const auto model = copied(with_codes(original_, torch::tensor({0.25F})),
                            {.metadata = {{"author", "ours"}, {"dualdepth", "{}"}}});
  EXPECT_EQ(model.producer_name(), "another exporter");
  EXPECT_EQ(model.doc_string(), "a model");
  EXPECT_EQ(model.graph().name(), "g");
  EXPECT_EQ(model.graph().doc_string(), "a graph");
  EXPECT_EQ(named(model, "the_Conv").doc_string(), "a convolution");
  EXPECT_EQ(model.opset_import(0).version(), 17);
  EXPECT_EQ(model.ir_version(), 8);
  ASSERT_EQ(model.metadata_props_size(), 2);
  EXPECT_EQ(model.metadata_props(0).value(), "ours");
  EXPECT_EQ(model.metadata_props(1).key(), "dualdepth");
  EXPECT_EQ(model.graph().input(0).SerializeAsString(), file.graph().input(0).SerializeAsString());
}

TEST_F(QuantizedCopies, LeavesOutABatchNormalizationThatIsFolded) {
  ModelBuilder builder;
  builder.add_floats("filters", {2, 3, 1, 1}, {1, 2, 3, 4, 5, 6});
  builder.add_floats("one", {2}, {1, 1});
  builder.add("Conv", {"x", "filters"}, "c");
  auto& norm = builder.add("BatchNormalization", {"c", "one", "one", "one", "one"}, "b");
  auto* epsilon = norm.add_attribute();
  epsilon->set_name("epsilon");
  epsilon->set_type(onnx::AttributeProto::FLOAT);
  epsilon->set_f(0);
  builder.add("Identity", {"b"}, "i");
  builder.add("Relu", {"i"}, "y");
  builder.end_map("y");
  read(builder);
  const Graph quantized = with_codes(original_, torch::tensor({1.0F}));
  const auto model = copied(quantized);
  EXPECT_THAT(types(model), ::testing::Not(::testing::Contains("BatchNormalization")));
  EXPECT_THAT(named(model, "the_Conv").output(), ElementsAre("b"));
  EXPECT_THAT(named(model, "the_Identity").input(), ElementsAre("b"));
  EXPECT_THAT(codes<int8_t>(model, named(model, "the_Conv").input(1)),
              ElementsAre(1, 2, 3, 4, 5, 6));
  expect_computes(quantized);
}

TEST_F(QuantizedCopies, KeepsNodesThatTheGraphDoesNotKnow) {
  ModelBuilder builder = conv_and_relu(17);
  builder.graph().clear_output();
  builder.add_floats("one", {1}, {1});
  builder.add("InstanceNormalization", {"y", "one", "one"}, "n");
  builder.end_map("n");
  const OnnxReadOptions options{.foreign = [](const std::string&) {
    return [](std::span<const torch::Tensor> inputs) { return 2 * inputs[0]; };
  }};
  read(builder, options);
  const Graph quantized = with_codes(original_, torch::tensor({0.25F}));
  const auto model = copied(quantized);
  const auto& foreign = named(model, "the_InstanceNormalization");
  EXPECT_THAT(foreign.input(), ElementsAre("y/FakeQuantize_output_0", "one", "one"));
  EXPECT_THAT(foreign.output(), ElementsAre("n"));
  expect_computes(quantized, options);
}

TEST_F(QuantizedCopies, NamesAreNotTakenTwice) {
  ModelBuilder builder = conv_and_relu();
  builder.graph().clear_output();
  builder.add("Relu", {"y"}, "x/FakeQuantize_output_0");
  builder.end_map("x/FakeQuantize_output_0");
  read(builder);
  const Graph quantized = with_codes(original_, torch::tensor({0.25F}));
  copied(quantized);
  EXPECT_EQ(names_.at(1), "x/FakeQuantize_output_0_1");
  expect_computes(quantized);
}

TEST_F(QuantizedCopies, LeavesOutOutputsThatTheContractDoesNotName) {
  ModelBuilder builder = conv_and_relu();
  builder.add("Sigmoid", {"c"}, "other");
  builder.end_map("other");
  read(builder);
  original_.set_outputs({{"y", node("y")}});
  const Graph quantized = with_codes(original_, torch::tensor({0.25F}));
  const auto model = copied(quantized);
  ASSERT_EQ(model.graph().output_size(), 1);
  EXPECT_THAT(types(model), ::testing::Not(::testing::Contains("Sigmoid")));
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("output other is left out")));
  expect_computes(quantized);
}

// Level 0, 1 or 2 of logits: the reader's user has put an ArgMax behind them.
TEST_F(QuantizedCopies, AddsLevelsInPlaceOfLogits) {
  ModelBuilder builder;
  for (const int axis : {0, 2, 3}) {
    auto* type = builder.graph().mutable_input(0)->mutable_type()->mutable_tensor_type();
    type->mutable_shape()->mutable_dim(axis)->set_dim_param("d" + std::to_string(axis));
  }
  builder.add_floats("filters", {3, 3, 1, 1}, {1, 0, 0, 0, 1, 0, 0, 0, 1});
  builder.add("Conv", {"x", "filters"}, "c");
  builder.add("Relu", {"c"}, "logits");
  builder.end_map("logits");
  read(builder, {.height = 8, .width = 8});
  original_.set_outputs({{"level", original_.add(graph::ArgMax{}, {node("logits")}, "")}});
  const Graph quantized = with_codes(original_, torch::tensor({1.0F}));
  copied(quantized);
  EXPECT_THAT(notes_, ElementsAre("output logits is left out: the quantized network has none",
                                  "output level is new"));
  const OnnxFile copy(folder_ / "copy.onnx");
  const auto& level = copy.model().graph().output(0);
  EXPECT_EQ(level.type().tensor_type().elem_type(), onnx::TensorProto::INT64);
  const auto& shape = level.type().tensor_type().shape();
  EXPECT_EQ(shape.dim(1).dim_value(), 1);
  EXPECT_FALSE(shape.dim(2).has_dim_value());
  expect_computes(quantized, {.height = 8, .width = 8});
}

// Reshape to the picture's own height and width, computed with Shape: for one size a constant.
TEST_F(QuantizedCopies, ANodeThatComputesFromSizesIsNotWrittenForOneSize) {
  ModelBuilder builder = conv_and_relu();
  builder.graph().clear_output();
  auto* type = builder.graph().mutable_input(0)->mutable_type()->mutable_tensor_type();
  type->mutable_shape()->mutable_dim(2)->set_dim_param("height");
  builder.add("Shape", {"y"}, "sizes");
  builder.add("Reshape", {"y", "sizes"}, "z");
  builder.end_map("z");
  read(builder, {.height = 8, .width = 8});
  Graph quantized = with_codes(original_, torch::tensor({0.25F}));
  copied(quantized);
  EXPECT_EQ(named(OnnxFile(folder_ / "copy.onnx").model(), "the_Reshape").input(1), "sizes");
  const NodeId reshape = quantized.nodes().size() - 1;
  ASSERT_EQ(quantized.node(reshape).file_value, "z");
  quantized.replace(reshape, graph::Relu{});  // as a pass that changes the node
  EXPECT_THAT(obstacle(quantized), HasSubstr("the_Reshape"));
}

TEST_F(QuantizedCopies, HoldsExternalDataItself) {
  ModelBuilder builder = conv_and_relu();
  builder.add_floats("offset", {1, 1, 1, 1}, {});
  auto& tensor = *builder.graph().mutable_initializer(2);
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  auto* entry = tensor.add_external_data();
  entry->set_key("location");
  entry->set_value("weights.bin");
  const float two = 2;
  folder_.write("weights.bin", {reinterpret_cast<const char*>(&two), sizeof(two)});
  builder.graph().clear_output();
  builder.add("Add", {"y", "offset"}, "z");
  builder.end_map("z");
  read(builder);
  const Graph quantized = with_codes(original_, torch::tensor({0.25F}));
  const auto model = copied(quantized);
  std::filesystem::remove(folder_ / "weights.bin");
  for (const auto& one : model.graph().initializer()) {
    EXPECT_NE(one.data_location(), onnx::TensorProto::EXTERNAL);
  }
  expect_computes(quantized);
}

// A part of the file that two nodes of the graph share, an Identity, has one value.
TEST_F(QuantizedCopies, AValueThatIsReadInTwoFormsThroughOneNodeIsNoCopy) {
  ModelBuilder builder = conv_and_relu();
  builder.add("Identity", {"c"}, "i");
  builder.add("Sigmoid", {"i"}, "s");
  builder.add("Tanh", {"i"}, "t");
  builder.end_map("s");
  builder.end_map("t");
  read(builder);
  const NodeId conv = node("c");
  Graph quantized;
  std::vector<NodeId> renamed;
  for (const auto& one : original_.nodes()) {
    const bool is_sigmoid = one.file_value == "s";
    const NodeId in_float = is_sigmoid ? renamed[conv] : 0;
    if (is_sigmoid) renamed[conv] = quantized.add(FakeQuantize{}, {in_float}, "");
    renamed.push_back(graph::add_copy(quantized, one, renamed));
    if (is_sigmoid) renamed[conv] = in_float;
  }
  quantized.set_outputs(graph::renamed_outputs(original_, renamed));
  EXPECT_THAT(obstacle(quantized), HasSubstr("the_Identity"));
}

// The reader does not need the type of an output.
TEST_F(QuantizedCopies, AFileThatOnnxRefusesIsNoCopy) {
  ModelBuilder builder = conv_and_relu();
  builder.graph().mutable_output(0)->clear_type();
  read(builder);
  EXPECT_THAT(obstacle(with_codes(original_, torch::tensor({0.25F}))),
              HasSubstr("Field 'type' of 'value_info' is required"));
}

TEST_F(QuantizedCopies, AnotherBatchIsNoCopy) {
  read(conv_and_relu());
  EXPECT_THAT(obstacle(graph::with_batch(original_, 2)), HasSubstr("another number of pictures"));
}

}  // namespace
}  // namespace dualdepth
