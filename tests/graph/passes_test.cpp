#include "dualdepth/graph/passes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"
#include "dualdepth/codec/hilbert_curve.h"
#include "dualdepth/export/frozen_trace.h"
#include "dualdepth/export/graph_from_trace.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/model/dense_prediction.h"
#include "testing/narrow_model.h"
#include "testing/random_checkpoint.h"

namespace dualdepth::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::vector<std::string> kinds(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes()) names.emplace_back(kind_name(node.operation));
  return names;
}

TEST(MergeAffine, TwoInARowBecomeOne) {
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 2, 32, 32});
  const NodeId minus =
      graph.add(Affine{torch::ones({2}), torch::tensor({-0.5F, -0.25F})}, {image}, "");
  const NodeId scaled =
      graph.add(Affine{torch::tensor({2.0F, 4.0F}), torch::zeros({2})}, {minus}, "");
  graph.set_outputs({{"logits", graph.add(Relu{}, {scaled}, "")}});
  const Graph merged = merge_affine(graph);
  EXPECT_THAT(kinds(merged), ElementsAre("Input", "Affine", "Relu"));
  const auto& affine = std::get<Affine>(merged.node(1).operation);
  EXPECT_TRUE(affine.scale.equal(torch::tensor({2.0F, 4.0F})));
  EXPECT_TRUE(affine.shift.equal(torch::tensor({-1.0F, -1.0F})));
  EXPECT_EQ(merged.output("logits"), 2u);
}

// 2 (3 (x / 255 - 1)) + 5 = (6 / 255) x - 1
TEST(MergeAffine, AllOfARowBecomeOne) {
  Graph graph;
  NodeId x = graph.add_input("image", {1, 1, 4, 4});
  const auto number = [](float value) { return torch::full({1}, value); };
  x = graph.add(Affine{number(1.0F / 255), number(-1)}, {x}, "");
  x = graph.add(Affine{number(3), number(0)}, {x}, "");
  x = graph.add(Affine{number(2), number(5)}, {x}, "");
  graph.set_outputs({{"y", x}});
  const Graph merged = merge_affine(graph);
  ASSERT_THAT(kinds(merged), ElementsAre("Input", "Affine"));
  const auto& affine = std::get<Affine>(merged.node(1).operation);
  EXPECT_NEAR(affine.scale.item<double>(), 6.0 / 255, 1e-7);
  EXPECT_NEAR(affine.shift.item<double>(), -1, 1e-6);
}

TEST(MergeAffine, OneThatIsReadTwiceStays) {
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 2, 32, 32});
  const NodeId first = graph.add(Affine{torch::ones({2}), torch::ones({2})}, {image}, "");
  const NodeId second = graph.add(Affine{torch::ones({2}), torch::ones({2})}, {first}, "");
  graph.set_outputs({{"logits", graph.add(Add{}, {first, second}, "")}});
  EXPECT_THAT(kinds(merge_affine(graph)), ElementsAre("Input", "Affine", "Affine", "Add"));
}

// 20 convolutions of ResNet-18, 10 of the decoder, 2 heads; a ReLU behind each but the 3
// projections', the second of each of the 8 blocks (that comes after the Add) and the heads.
TEST(TracedNetwork, IsAGraphOfTheKnownKinds) {
  Graph graph = merge_affine(graph_from_trace(
      trace_network(testing::random_net(testing::narrow_model()), {ModelOutputs::kLogits}),
      {1, 3, 64, 96}));
  std::map<std::string, int> count;
  for (const auto& kind : kinds(graph)) ++count[kind];
  const std::map<std::string, int> expected{{"Input", 1},    {"Affine", 1}, {"Conv", 32},
                                            {"Relu", 27},    {"Add", 8},    {"MaxPool", 1},
                                            {"Upsample", 5}, {"Concat", 4}, {"Sigmoid", 1}};
  EXPECT_EQ(count, expected);
  EXPECT_EQ(graph.node(graph.output("logits")).shape, (Shape{1, 256, 64, 96}));
  EXPECT_EQ(graph.node(graph.output("logits")).module, "decoder.head_0.integer");
  const auto& input = std::get<Affine>(graph.node(1).operation);
  // (x - 0.45) / 0.225
  EXPECT_NEAR(input.scale[0].item<double>(), 1 / 0.225, 1e-5);
  EXPECT_NEAR(input.shift[0].item<double>(), -2, 1e-5);
}

TEST(WithOutputs, AppendsWhatTheOutputsNeed) {
  const ModelOptions options = testing::narrow_model();
  const Graph graph = graph_from_trace(
      trace_network(testing::random_net(options), {ModelOutputs::kLogits}), {1, 3, 32, 32});
  const Graph levels =
      with_outputs(graph, options.head_kind(), options.params.codec, {ModelOutputs::kLevels});
  EXPECT_EQ(levels.nodes().size(), graph.nodes().size() + 1);
  EXPECT_EQ(levels.node(levels.output("level")).shape, (Shape{1, 1, 32, 32}));
  const Graph depth =
      with_outputs(graph, options.head_kind(), options.params.codec, {ModelOutputs::kDepth});
  EXPECT_EQ(depth.nodes().size(), graph.nodes().size() + 2);
  EXPECT_EQ(depth.outputs().size(), 1u);
}

// The graph of each head computes the prediction of the network, in LibTorch.
Graph traced(const ModelOptions& options, const OutputForm& form) {
  const Graph logits = graph_from_trace(
      trace_network(testing::random_net(options), {ModelOutputs::kLogits}), {1, 3, 32, 64});
  return with_outputs(logits, options.head_kind(), options.params.codec, form);
}

torch::Tensor value_of(const Graph& graph, const torch::Tensor& image, const std::string& output) {
  const std::vector<NodeId> wanted{graph.output(output)};
  return run_graph(graph, image, wanted).front();
}

torch::Tensor depth_of(const ModelOptions& options, const torch::Tensor& image) {
  DepthNet net = testing::random_net(options);
  return predict_dense(net, image).depth;
}

TEST(WithOutputs, OfACumulativeHeadIsAClipAndTheSumsOfItsGroups) {
  ModelOptions options = testing::narrow_model();
  options.head.kind = HeadKind::kCumulative;
  options.head.slope = 0.5;
  options.head.quantile = 0.4;
  torch::manual_seed(8);
  const auto image = torch::rand({1, 3, 32, 64});
  const auto expected = depth_of(options, image);
  for (const int64_t groups : {0, 1, 4, 256}) {
    const Graph graph = traced(options, {ModelOutputs::kPosition, groups});
    const NodeId sums = graph.output("position");
    EXPECT_EQ(graph.node(sums).shape, (Shape{1, groups == 0 ? 16 : groups, 32, 64}));
    EXPECT_EQ(graph.node(sums).module, "decoder.head_0.sum");
    EXPECT_TRUE(std::holds_alternative<Clip>(graph.node(sums - 1).operation));
    const auto position = value_of(graph, image, "position");
    EXPECT_LE(position.max().item<double>(), 256.0 / (groups == 0 ? 16 : groups));
    // Over 0.1..80 m.
    const auto depth = 0.1 + position.sum(1) * (79.9 / 256);
    EXPECT_LT((depth - expected).abs().max().item<double>(), 1e-3);
  }
  const Graph graph = traced(options, {ModelOutputs::kDepth});
  const auto depth = value_of(graph, image, "depth");
  EXPECT_LT((depth.squeeze(1) - expected).abs().max().item<double>(), 1e-3);
  EXPECT_THAT(
      [&] {
        traced(options, {ModelOutputs::kPosition, 5});
      },
      ThrowsMessage<Error>(HasSubstr("groups: expected a number that divides")));
}

TEST(WithOutputs, OfAHilbertHeadIsTheSigmoidOfBothCoordinates) {
  ModelOptions options = testing::narrow_model();
  options.head.kind = HeadKind::kHilbert;
  torch::manual_seed(8);
  const auto image = torch::rand({1, 3, 32, 64});
  const Graph graph = traced(options, {ModelOutputs::kCoordinates});
  const auto coordinates = value_of(graph, image, "coordinates");
  ASSERT_EQ(coordinates.sizes(), torch::IntArrayRef({1, 2, 32, 64}));
  const auto depth = hilbert_depth(coordinates.permute({0, 2, 3, 1}), options.params.codec);
  // Where rounding decides between two places of the curve, depth may be that of either.
  const auto differs = (depth - depth_of(options, image)).abs() > 1e-3;
  EXPECT_LT(differs.to(torch::kFloat64).mean().item<double>(), 1e-3);
}

TEST(WithOutputs, OneHeadHasNoLevels) {
  ModelOptions options = testing::narrow_model();
  options.params.use_dual_head = false;
  const Graph graph = graph_from_trace(
      trace_network(testing::random_net(options), {ModelOutputs::kLogits}), {1, 3, 32, 32});
  EXPECT_THAT(
      [&] {
        with_outputs(graph, options.head_kind(), options.params.codec, {ModelOutputs::kLevels});
      },
      ThrowsMessage<Error>(HasSubstr("a sigmoid head")));
  const Graph depth =
      with_outputs(graph, options.head_kind(), options.params.codec, {ModelOutputs::kDepth});
  EXPECT_EQ(depth.node(depth.output("depth")).shape, (Shape{1, 1, 32, 32}));
}

}  // namespace
}  // namespace dualdepth::graph
