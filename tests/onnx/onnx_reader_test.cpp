#include "dualdepth/onnx/onnx_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <fstream>

#include "dualdepth/base/error.h"
#include "dualdepth/export/frozen_trace.h"
#include "dualdepth/export/graph_from_trace.h"
#include "dualdepth/graph/passes.h"
#include "dualdepth/onnx/onnx_writer.h"
#include "testing/narrow_model.h"
#include "testing/random_checkpoint.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using graph::Conv;
using graph::Graph;
using graph::NodeId;

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TempFolder;
using ::testing::ThrowsMessage;

class OnnxRoundTrip : public ::testing::TestWithParam<OnnxProfile> {};

TEST_P(OnnxRoundTrip, GivesTheSameGraph) {
  const TempFolder folder;
  const ModelOptions options = testing::narrow_model();
  const Graph written = with_outputs(
      merge_affine(graph_from_trace(
          trace_network(testing::random_net(options), {ModelOutputs::kLogits}), {1, 3, 64, 96})),
      options.head_kind(), options.params.codec, {ModelOutputs::kLevels});
  write_onnx(*to_onnx(written, {.profile = GetParam(), .metadata = {{"note", "7 m"}}}),
             folder / "m.onnx");
  const OnnxFile file(folder / "m.onnx");
  const Graph read = merge_affine(read_onnx(file));
  ASSERT_EQ(node_names(read), node_names(written));
  for (NodeId id = 0; id < read.nodes().size(); ++id) {
    EXPECT_EQ(read.node(id).inputs, written.node(id).inputs);
    EXPECT_EQ(read.node(id).shape, written.node(id).shape);
    const auto* conv = std::get_if<Conv>(&read.node(id).operation);
    if (conv == nullptr) continue;
    const auto& own = std::get<Conv>(written.node(id).operation);
    EXPECT_TRUE(conv->weight.equal(own.weight) && conv->bias.equal(own.bias));
    EXPECT_EQ(conv->stride, own.stride);
    EXPECT_EQ(conv->padding, own.padding);
  }
  EXPECT_EQ(read.output("level"), written.output("level"));
  EXPECT_EQ(file.metadata("note"), "7 m");
}

INSTANTIATE_TEST_SUITE_P(Profiles, OnnxRoundTrip,
                         ::testing::Values(OnnxProfile::kPortable, OnnxProfile::kOpenVino,
                                           OnnxProfile::kNpu),
                         [](const auto& info) { return std::string(enum_name(info.param)); });

TEST(OnnxReader, AnOperatorThatItDoesNotKnowIsNamedWithItsNode) {
  const TempFolder folder;
  onnx::ModelProto model;
  model.set_ir_version(7);
  model.add_opset_import()->set_version(13);
  auto* graph = model.mutable_graph();
  graph->set_name("g");
  auto* input = graph->add_input();
  input->set_name("image");
  auto* shape = input->mutable_type()->mutable_tensor_type()->mutable_shape();
  for (const int64_t size : {1, 3, 64, 96}) shape->add_dim()->set_dim_value(size);
  auto* node = graph->add_node();
  node->set_name("/encoder/attention/Einsum");
  node->set_op_type("Einsum");
  node->add_input("image");
  node->add_output("y");
  graph->add_output()->set_name("y");
  std::ofstream(folder / "m.onnx", std::ios::binary) << model.SerializeAsString();
  EXPECT_THAT([&] { read_onnx(OnnxFile(folder / "m.onnx")); },
              ThrowsMessage<Error>(AllOf(HasSubstr("m.onnx"), HasSubstr("Einsum"),
                                         HasSubstr("/encoder/attention/Einsum"))));
}

TEST(OnnxWriter, RefusesAModelThatTheCheckerRefuses) {
  const TempFolder folder;
  onnx::ModelProto model;
  model.set_ir_version(7);
  model.mutable_graph()->set_name("g");
  EXPECT_THAT([&] { write_onnx(model, folder / "m.onnx"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("m.onnx"), HasSubstr("ONNX's checker"))));
  EXPECT_FALSE(std::filesystem::exists(folder / "m.onnx"));
}

}  // namespace
}  // namespace dualdepth
