#include "dualdepth/graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/graph_view.h"

namespace dualdepth::graph {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Conv conv(int64_t out, int64_t in, int64_t kernel, int64_t stride) {
  return {.weight = torch::ones({out, in, kernel, kernel}),
          .bias = torch::zeros({out}),
          .stride = {stride, stride},
          .padding = {kernel / 2, kernel / 2}};
}

TEST(Graph, InfersShapes) {
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 3, 192, 640});
  const NodeId first = graph.add(conv(64, 3, 7, 2), {image}, "encoder.conv1");
  EXPECT_EQ(graph.node(first).shape, (Shape{1, 64, 96, 320}));
  const NodeId pool = graph.add(MaxPool{{3, 3}, {2, 2}, {1, 1}}, {first}, "encoder");
  EXPECT_EQ(graph.node(pool).shape, (Shape{1, 64, 48, 160}));
  const NodeId up = graph.add(Upsample{2}, {pool}, "decoder");
  const NodeId both = graph.add(Concat{}, {up, first}, "decoder");
  EXPECT_EQ(graph.node(both).shape, (Shape{1, 128, 96, 320}));
  const NodeId level = graph.add(ArgMax{}, {both}, "decoder.head_0");
  EXPECT_EQ(graph.node(level).shape, (Shape{1, 1, 96, 320}));
  // 7 * 7 * 3 * 64 filters' weights at 96 * 320 places.
  EXPECT_EQ(multiply_accumulates(graph, first), 9408LL * 96 * 320);
}

TEST(Graph, RefusesWhatDoesNotFitAndNamesTheModule) {
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 3, 64, 96});
  EXPECT_THAT([&] { graph.add(conv(8, 4, 3, 1), {image}, "encoder.conv1"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("Conv of encoder.conv1"),
                                         HasSubstr("weight float [8, 3, 3, 3]"),
                                         HasSubstr("[8, 4, 3, 3]"))));
  const NodeId half = graph.add(conv(3, 3, 3, 2), {image}, "a");
  EXPECT_THAT(
      [&] {
        graph.add(Add{}, {image, half}, "b");
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("Add of b"), HasSubstr("[1, 3, 32, 48]"))));
  EXPECT_THAT(
      [&] {
        graph.add(Relu{}, {image, half}, "c");
      },
      ThrowsMessage<Error>(HasSubstr("expected 1 inputs, got 2")));
  EXPECT_THROW(graph.add(MaxPool{{99, 99}, {1, 1}, {0, 0}}, {image}, "d"), Error);
  EXPECT_EQ(graph.nodes().size(), 2u);
}

TEST(Graph, RefusesWeightsThatAreNotFinite) {
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 3, 64, 96});
  Conv broken = conv(2, 3, 1, 1);
  broken.weight[1][2][0][0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT([&] { graph.add(broken, {image}, "encoder.conv1"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("encoder.conv1"), HasSubstr("NaN"))));
}

// Infinities of both signs, and finite weights whose sum is none.
TEST(Graph, FindsInfinityAndTakesLargeWeights) {
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 3, 64, 96});
  Conv weights = conv(2, 3, 1, 1);
  weights.weight.fill_(3e38F);
  EXPECT_NO_THROW(graph.add(weights, {image}, "large"));
  weights.weight[0][0][0][0] = std::numeric_limits<float>::infinity();
  weights.weight[1][0][0][0] = -std::numeric_limits<float>::infinity();
  EXPECT_THROW(graph.add(weights, {image}, "infinite"), Error);
}

TEST(Graph, NamesAreUniqueAndCarryTheModulesPath) {
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 3, 64, 96});
  const NodeId first = graph.add(Relu{}, {image}, "encoder.layer1.0");
  graph.add(Relu{}, {first}, "encoder.layer1.0");
  graph.add(Sigmoid{}, {first}, "");
  EXPECT_THAT(node_names(graph), ElementsAre("image", "/encoder/layer1/0/Relu",
                                             "/encoder/layer1/0/Relu_1", "/Sigmoid"));
}

TEST(Graph, AnOutputThatIsNotThereIsAnErrorThatListsThoseThatAre) {
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 3, 64, 96});
  graph.set_outputs({{"logits", image}, {"fraction", image}});
  EXPECT_EQ(graph.output("fraction"), image);
  EXPECT_THAT([&] { graph.output("depth"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("depth"), HasSubstr("logits, fraction"))));
}

TEST(GraphView, TextAndPictureShowEveryNode) {
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 3, 64, 96});
  const NodeId first = graph.add(conv(8, 3, 3, 1), {image}, "encoder.conv1");
  const NodeId relu = graph.add(Relu{}, {first}, "encoder");
  graph.set_outputs({{"depth", graph.add(Add{}, {first, relu}, "encoder")}});
  const std::string text = graph_text(graph);
  // 8 * 3 * 9 + 8 parameters; 216 * 64 * 96 multiply-accumulates.
  EXPECT_THAT(text, AllOf(HasSubstr("/encoder/conv1/Conv"), HasSubstr("1x8x64x96"),
                          HasSubstr("224"), HasSubstr("1.3"), HasSubstr("output depth: node 3"),
                          HasSubstr("4 nodes, 224 parameters, 0.00 GMAC")));
  const std::string svg = graph_svg(graph);
  EXPECT_THAT(svg, AllOf(HasSubstr("<svg "), HasSubstr("/encoder/Add"), HasSubstr("</svg>")));
}

}  // namespace
}  // namespace dualdepth::graph
