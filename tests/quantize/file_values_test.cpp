#include "dualdepth/quantize/file_values.h"

#include <gmock/gmock.h>
#include <onnx/onnx_pb.h>

#include "dualdepth/base/error.h"
#include "dualdepth/onnx/onnx_writer.h"

namespace dualdepth::quantize {
namespace {

using graph::FakeQuantize;
using graph::Graph;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// A convolution of codes, and its codes.
Graph quantized_conv() {
  Graph graph;
  const auto image = graph.add_input("image", {1, 1, 4, 4});
  const auto in = graph.add(FakeQuantize{0.5F, 0, false}, {image}, "in");
  const graph::Conv conv{.weight = torch::full({1, 1, 1, 1}, 0.75F),
                         .bias = torch::zeros({1}),
                         .weight_scale = torch::tensor({0.25F})};
  const auto sums = graph.add(conv, {in}, "conv");
  graph.set_outputs({{"out", graph.add(FakeQuantize{0.25F, 0, false}, {sums}, "conv")}});
  return graph;
}

TEST(FileValues, AreTheCodesInFrontOfEachDequantizeLinear) {
  const auto graph = quantized_conv();
  const auto model = to_onnx(graph, {});
  const auto names = file_values(graph, value_names(graph), *model, "q.onnx");
  std::vector<std::string> quantized;
  for (const auto& node : model->graph().node()) {
    if (node.op_type() == "QuantizeLinear") quantized.push_back(node.output(0));
  }
  ASSERT_EQ(quantized.size(), 2);
  EXPECT_THAT(names.codes, ElementsAre("", quantized[0], "", quantized[1]));
}

TEST(FileValues, BiasesAreInFloatForTensorRtAlone) {
  const auto graph = quantized_conv();
  for (const auto profile : {OnnxProfile::kPortable, OnnxProfile::kOpenVino, OnnxProfile::kNpu,
                             OnnxProfile::kTensorRt}) {
    const auto model = to_onnx(graph, {.profile = profile});
    const auto names = file_values(graph, value_names(graph), *model, "q.onnx");
    const bool in_float = profile == OnnxProfile::kTensorRt;
    EXPECT_THAT(names.float_bias, ElementsAre(false, false, in_float, false)) << enum_name(profile);
  }
}

TEST(FileValues, NamesAValueThatTheFileDoesNotHave) {
  Graph graph;
  const auto image = graph.add_input("image", {1, 1, 4, 4});
  graph.set_outputs({{"out", graph.add(FakeQuantize{0.5F, 0, false}, {image}, "in")}});
  EXPECT_THAT(
      [&] {
        file_values(graph, {"image", "another"}, *to_onnx(graph, {}), "q.onnx");
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("q.onnx, value another"), HasSubstr("no node"))));
}

}  // namespace
}  // namespace dualdepth::quantize
