#include <gmock/gmock.h>
#include <onnx/onnx_pb.h>

#include "dualdepth/base/error.h"
#include "dualdepth/onnx/onnx_writer.h"
#include "lowered_graph.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// ONNX files with the contract of a model, as they are edited for a chip.
class OnnxModel : public LoweredGraph {
 protected:
  OnnxModel() { add_outputs(feature_, add_logits(feature_)); }

  // The graph as a file whose output `name` goes through a Cast.
  std::filesystem::path with_cast(const std::string& name, onnx::TensorProto::DataType type) const {
    const auto model = to_onnx(graph_, {.metadata = {{kContractKey, to_json(contract_)}}});
    auto& graph = *model->mutable_graph();
    for (auto& node : *graph.mutable_node()) {
      if (node.output(0) == name) node.set_output(0, name + "_before");
    }
    auto& cast = *graph.add_node();
    cast.set_op_type("Cast");
    cast.add_input(name + "_before");
    cast.add_output(name);
    auto& to = *cast.add_attribute();
    to.set_name("to");
    to.set_type(onnx::AttributeProto::INT);
    to.set_i(type);
    for (auto& output : *graph.mutable_output()) {
      if (output.name() == name) output.mutable_type()->mutable_tensor_type()->set_elem_type(type);
    }
    const auto file = folder_ / "cast.onnx";
    write_onnx(*model, file);
    return file;
  }

  testing::TempFolder folder_;
};

TEST_F(OnnxModel, AsWrittenHasNoneOfOurKernelsAndTheSameResult) {
  const auto file = folder_ / "model.onnx";
  write_onnx(*to_onnx(graph_, {.metadata = {{kContractKey, to_json(contract_)}}}), file);
  const auto written = open_onnx(file, {.profile = true, .as_written = true});
  const auto lowered = open_onnx(file, {.profile = true});
  const auto expected = written->run(image_);
  const auto got = lowered->run(image_);
  EXPECT_GT(equal_share(got.at("level"), expected.at("level")), 0.99);
  EXPECT_LT((got.at("fraction") - expected.at("fraction")).abs().max().item<double>(), 1e-5);
  EXPECT_EQ(kinds(*written)["Reference"], 0);
  EXPECT_EQ(kinds(*written)["TopK"], 1);
  EXPECT_EQ(kinds(*lowered)["Reference"], 1);
}

TEST_F(OnnxModel, HandsOutLevelsOfAnyTypeThatHoldsThem) {
  const auto level = reference(graph_).first.squeeze(1);
  for (const auto type :
       {onnx::TensorProto::UINT8, onnx::TensorProto::INT8, onnx::TensorProto::UINT16,
        onnx::TensorProto::INT16, onnx::TensorProto::INT32, onnx::TensorProto::FLOAT16,
        onnx::TensorProto::FLOAT, onnx::TensorProto::DOUBLE}) {
    const auto model = open_onnx(with_cast("level", type), {.as_written = true});
    const auto got = to_prediction(model->run(image_), model->contract());
    EXPECT_EQ(got.level.scalar_type(), torch::kInt64);
    EXPECT_GT(equal_share(got.level, level), 0.99) << type;
  }
}

TEST_F(OnnxModel, HandsOutAFractionOfHalfPrecision) {
  const auto expected = reference(graph_).second.squeeze(1);
  for (const auto type : {onnx::TensorProto::FLOAT16, onnx::TensorProto::DOUBLE}) {
    const auto model = open_onnx(with_cast("fraction", type), {.as_written = true});
    const auto got = to_prediction(model->run(image_), model->contract());
    EXPECT_EQ(got.fraction.scalar_type(), torch::kFloat32);
    EXPECT_LT((got.fraction - expected).abs().max().item<double>(), 1e-3) << type;
  }
}

TEST_F(OnnxModel, RefusesAnOutputOfATypeThatItCannotHandOut) {
  const auto model = open_onnx(with_cast("level", onnx::TensorProto::UINT32), {.as_written = true});
  EXPECT_THAT([&] { model->run(image_); }, ThrowsMessage<Error>(HasSubstr("output level")));
}

// Step 0.5, zero point 1: 0, 0.5, 1.25 (half to even) and -3 have the codes 1, 2, 3 and -5, which
// is cut off.
TEST(ExposedValues, AreTheCodesInsideAFile) {
  graph::Graph graph;
  const auto image = graph.add_input("image", {1, 3, 1, 4});
  const auto codes = graph.add(graph::FakeQuantize{0.5F, 1, false}, {image}, "in");
  graph.set_outputs({{"depth", graph.add(graph::Relu{}, {codes}, "")}});
  Contract contract;
  contract.input.size = {1, 4};
  contract.outputs = {{.name = "depth", .is = OutputKind::kDepth}};
  const auto model = to_onnx(graph, {.metadata = {{kContractKey, to_json(contract)}}});
  const testing::TempFolder folder;
  const auto file = folder / "codes.onnx";
  write_onnx(*model, file);
  const std::string& name = model->graph().node(0).output(0);
  const auto row = [](const torch::Tensor& numbers) {
    return numbers.view({1, 1, 1, 4}).expand({1, 3, 1, 4}).contiguous();
  };
  const auto values = open_onnx(file, {.as_written = true, .exposed = {name}})
                          ->run(row(torch::tensor({0.F, 0.5F, 1.3F, -3.F})));
  const auto expected = row(torch::tensor({1, 2, 4, 0}, torch::kUInt8));
  EXPECT_TRUE(values.at(name).equal(expected)) << values.at(name);
  EXPECT_TRUE(values.contains("depth"));
  EXPECT_THAT([&] { open_onnx(file, {.as_written = true, .exposed = {"absent"}}); },
              ThrowsMessage<Error>(HasSubstr("codes.onnx")));
}

}  // namespace
}  // namespace dualdepth
