// The opset of a quantized copy, and its nodes' form in it as the ONNX standard has them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "copied_model.h"

namespace dualdepth {
namespace {

using graph::Graph;
using testing::codes;
using testing::conv_and_relu;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ModelBuilder;
using testing::named;
using testing::producer;
using testing::QuantizedCopies;
using testing::with_codes;

// Per-axis DequantizeLinear came with opset 13, QuantizeLinear with 10.
TEST_F(QuantizedCopies, RaisesTheOpsetOnlyAsFarAsCodesNeed) {
  ModelBuilder builder(9);
  builder.add_floats("filters", {2, 3, 1, 1}, {1, -0.5F, 0.25F, 2, -2, 1});
  builder.add("Conv", {"x", "filters"}, "c");
  builder.add("Relu", {"c"}, "y");
  builder.end_map("y");
  read(builder);
  EXPECT_EQ(copied(with_codes(original_, torch::tensor({0.25F}))).opset_import(0).version(), 10);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("opset raised from 9 to 10")));
  const Graph quantized = with_codes(original_, torch::tensor({0.25F, 0.5F}));
  const auto model = copied(quantized);
  EXPECT_EQ(model.opset_import(0).version(), 13);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("opset raised from 9 to 13")));
  const auto& conv = named(model, "the_Conv");
  EXPECT_THAT(codes<int8_t>(model, conv.input(1)), ElementsAre(4, -2, 1, 4, -4, 2));
  expect_computes(quantized);
}

// Upsample has gone at opset 10; Slice takes its numbers as inputs there, Unsqueeze and Squeeze at
// 13, Clip at 11.
TEST_F(QuantizedCopies, RaisesNodesWithTheOpset) {
  ModelBuilder builder(9);
  builder.add_floats("filters", {2, 3, 1, 1}, {1, -0.5F, 0.25F, 2, -2, 1});
  builder.add_floats("scales", {4}, {1, 1, 2, 2});
  builder.add("Conv", {"x", "filters"}, "c");
  auto& clip = builder.add("Clip", {"c"}, "d");
  auto* most = clip.add_attribute();
  most->set_name("max");
  most->set_type(onnx::AttributeProto::FLOAT);
  most->set_f(0.5F);
  builder.add("Upsample", {"d", "scales"}, "u");
  auto& slice = builder.add("Slice", {"u"}, "s");
  ModelBuilder::set(slice, "starts", std::vector<int64_t>{1});
  ModelBuilder::set(slice, "ends", std::vector<int64_t>{9});
  ModelBuilder::set(slice, "axes", std::vector<int64_t>{2});
  ModelBuilder::set(builder.add("Unsqueeze", {"s"}, "v"), "axes", std::vector<int64_t>{0});
  ModelBuilder::set(builder.add("Squeeze", {"v"}, "y"), "axes", std::vector<int64_t>{0});
  builder.end_map("y");
  read(builder);
  const Graph quantized = with_codes(original_, torch::tensor({0.25F, 0.5F}));
  const auto model = copied(quantized);
  EXPECT_THAT(named(model, "the_Clip").input(), ElementsAre("c", "", "d_parameter"));
  EXPECT_EQ(named(model, "the_Clip").attribute_size(), 0);
  EXPECT_EQ(named(model, "the_Upsample").op_type(), "Resize");
  EXPECT_THAT(named(model, "the_Upsample").output(), ElementsAre("u"));
  EXPECT_EQ(named(model, "the_Slice").input_size(), 4);
  EXPECT_EQ(named(model, "the_Unsqueeze").input_size(), 2);
  EXPECT_THAT(named(model, "the_Squeeze").output(), ElementsAre("y"));
  expect_computes(quantized);

  // With one scale for all filters opset 10 is enough.
  const Graph in_opset_10 = with_codes(original_, torch::tensor({0.25F}));
  EXPECT_EQ(copied(in_opset_10).opset_import(0).version(), 10);
  expect_computes(in_opset_10);
}

// Opset 9 has no QuantizeLinear: it is one of com.microsoft.
TEST_F(QuantizedCopies, ProfileNpuKeepsFilesOfOpset9) {
  read(conv_and_relu(9));
  const Graph quantized = with_codes(original_, torch::tensor({0.25F}));
  const auto model = copied(quantized, {.profile = OnnxProfile::kNpu});
  EXPECT_EQ(model.opset_import(0).version(), 9);
  EXPECT_EQ(model.opset_import(1).domain(), "com.microsoft");
  EXPECT_EQ(producer(model, "y").domain(), "com.microsoft");
  EXPECT_EQ(producer(model, "c").op_type(), "Add");  // the bias, which stays float
  EXPECT_EQ(named(model, "the_Conv").input_size(), 2);

  read(conv_and_relu(13));
  EXPECT_THAT(
      obstacle(with_codes(original_, torch::tensor({0.25F})), {.profile = OnnxProfile::kNpu}),
      HasSubstr("opset 9"));
}

}  // namespace
}  // namespace dualdepth
