#include "dualdepth/graph/passes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"
#include "dualdepth/export/frozen_trace.h"
#include "dualdepth/export/graph_from_trace.h"
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
      trace_network(testing::random_net(ModelOptions()), ModelOutputs::kLogits), {1, 3, 64, 96}));
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
  const ModelOptions options;
  const Graph graph = graph_from_trace(
      trace_network(testing::random_net(options), ModelOutputs::kLogits), {1, 3, 32, 32});
  const Graph levels = with_outputs(graph, options.params, ModelOutputs::kLevels);
  EXPECT_EQ(levels.nodes().size(), graph.nodes().size() + 1);
  EXPECT_EQ(levels.node(levels.output("level")).shape, (Shape{1, 1, 32, 32}));
  const Graph depth = with_outputs(graph, options.params, ModelOutputs::kDepth);
  EXPECT_EQ(depth.nodes().size(), graph.nodes().size() + 2);
  EXPECT_EQ(depth.outputs().size(), 1u);
}

TEST(WithOutputs, OneHeadHasNoLevels) {
  ModelOptions options;
  options.params.use_dual_head = false;
  const Graph graph = graph_from_trace(
      trace_network(testing::random_net(options), ModelOutputs::kLogits), {1, 3, 32, 32});
  EXPECT_THAT([&] { with_outputs(graph, options.params, ModelOutputs::kLevels); },
              ThrowsMessage<Error>(HasSubstr("one head")));
  const Graph depth = with_outputs(graph, options.params, ModelOutputs::kDepth);
  EXPECT_EQ(depth.node(depth.output("depth")).shape, (Shape{1, 1, 32, 32}));
}

}  // namespace
}  // namespace dualdepth::graph
