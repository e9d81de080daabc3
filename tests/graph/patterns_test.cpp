#include "dualdepth/graph/patterns.h"

#include <gtest/gtest.h>

#include "dualdepth/base/error.h"
#include "dualdepth/codec/threshold_codec.h"
#include "dualdepth/graph/equalize.h"
#include "dualdepth/graph/operator_table.h"
#include "dualdepth/graph/passes.h"
#include "dualdepth/graph/run_graph.h"

namespace dualdepth::graph {
namespace {

Conv conv1x1(int64_t in, int64_t out, int64_t groups = 1) {
  Conv conv{torch::ones({out, in / groups, 1, 1}), torch::zeros({out})};
  conv.groups = groups;
  return conv;
}

// image -> a -> Relu -> Upsample -> Concat with the image -> b -> Relu -> ArgMax.
struct Net {
  Net() {
    image = graph.add_input("image", {1, 3, 8, 8});
    const NodeId small = graph.add(MaxPool{{2, 2}, {2, 2}, {0, 0}}, {image}, "");
    a = graph.add(conv1x1(3, 4), {small}, "a");
    relu = graph.add(Relu{}, {a}, "a");
    up = graph.add(Upsample{2}, {relu}, "");
    joined = graph.add(Concat{}, {image, up}, "");
    b = graph.add(conv1x1(7, 5), {joined}, "b");
    floor = graph.add(Relu{}, {b}, "b");
    level = graph.add(ArgMax{}, {floor}, "b");
    graph.set_outputs({{"level", level}});
  }

  Graph graph;
  NodeId image = 0, a = 0, relu = 0, up = 0, joined = 0, b = 0, floor = 0, level = 0;
};

TEST(Patterns, FindTheHeadItsLogitsAndItsRelu) {
  const Net net;
  EXPECT_EQ(integer_head(net.graph), (std::vector<NodeId>{net.b, net.floor, net.level}));
  EXPECT_EQ(logits_of(net.graph), net.floor);
  EXPECT_TRUE(has_centred_head(net.graph));
  EXPECT_EQ(relu_behind(net.graph, Consumers(net.graph), net.a), net.relu);
  EXPECT_EQ(relu_behind(net.graph, Consumers(net.graph), net.joined), std::nullopt);
}

// image -> conv -> Clip -> sum of three pairs.
struct Thresholds {
  explicit Thresholds(float high = 1, const torch::Tensor& sums = group_filters(6, 3)) {
    const NodeId image = graph.add_input("image", {1, 3, 8, 8});
    conv = graph.add(conv1x1(3, 6), {image}, "head");
    clip = graph.add(Clip{0, high}, {conv}, "head");
    sum = graph.add(Conv{sums, torch::zeros({sums.size(0)})}, {clip}, "sum");
    graph.set_outputs({{"position", sum}});
  }

  Graph graph;
  NodeId conv = 0, clip = 0, sum = 0;
};

TEST(Patterns, FindTheEndOfACumulativeHead) {
  const Thresholds net;
  const auto head = position_head(net.graph);
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->conv, net.conv);
  EXPECT_EQ(head->clip, net.clip);
  EXPECT_EQ(head->sum, net.sum);
  EXPECT_EQ(position_head(Net().graph), std::nullopt);
}

TEST(Patterns, TakeNoOtherClipOrConvolutionForACumulativeHead) {
  const auto is_head = [](const Thresholds& net) { return position_head(net.graph).has_value(); };
  EXPECT_FALSE(is_head(Thresholds(6)));
  auto sums = group_filters(6, 3);
  sums[0][5] = 1;  // a channel in two sums
  EXPECT_FALSE(is_head(Thresholds(1, sums)));
  sums[0][5] = 0;
  EXPECT_TRUE(is_head(Thresholds(1, sums)));
  sums[0][0] = 0.5;
  EXPECT_FALSE(is_head(Thresholds(1, sums)));
  sums[0][0] = 0;  // a channel in none
  EXPECT_FALSE(is_head(Thresholds(1, sums)));
  Thresholds read_twice;
  read_twice.graph.set_outputs({{"position", read_twice.sum}, {"shares", read_twice.clip}});
  EXPECT_FALSE(is_head(read_twice));
}

TEST(Patterns, OfASumInEightBitsIsOneToRounding) {
  Conv sum{group_filters(6, 2), torch::zeros({2})};
  sum.weight = sum.weight * 127 * (1.F / 127);
  EXPECT_TRUE(sums_groups(sum));
  sum.bias = torch::tensor({0.F, 0.1F});
  EXPECT_FALSE(sums_groups(sum));
}

TEST(Patterns, AReluIsNotTheOnlyConsumerOfAnOutput) {
  Net net;
  net.graph.set_outputs({{"level", net.level}, {"feature", net.a}});
  EXPECT_EQ(relu_behind(net.graph, Consumers(net.graph), net.a), std::nullopt);
}

TEST(Patterns, FindConvolutionsOverUpsampledMaps) {
  const Net net;
  const auto found = upsampled_convs(net.graph);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].conv, net.b);
  EXPECT_EQ(found[0].upsample, net.up);
  EXPECT_EQ(found[0].concat, net.joined);
  EXPECT_EQ(found[0].first, 3);
}

TEST(ChannelGroups, StopAtGroupedConvolutions) {
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 3, 8, 8});
  const NodeId maker = graph.add(conv1x1(3, 4), {image}, "a");
  const NodeId live = graph.add(Relu{}, {maker}, "a");
  const NodeId depthwise = graph.add(conv1x1(4, 4, 4), {live}, "b");
  const NodeId last = graph.add(conv1x1(4, 2), {depthwise}, "c");
  graph.set_outputs({{"y", last}});
  EXPECT_FALSE(channel_group(graph, maker).has_value());
  EXPECT_TRUE(channel_group(graph, depthwise).has_value());
  EXPECT_EQ(multiply_accumulates(graph, depthwise), 4 * 8 * 8);
}

// Sums of two groups of 300 channels, against LibTorch's convolution in float64, which holds them
// exactly; they pass 2^24, which float32 would not.
TEST(RunGraph, GroupedConvolutionsAreSummedInWholeNumbers) {
  torch::manual_seed(4);
  const FakeQuantize in{0.5F, 0, false};
  const auto codes = torch::randint(100, 256, {1, 600, 4, 4}).to(torch::kFloat64);
  const auto filters = torch::randint(50, 128, {6, 300, 3, 3}).to(torch::kFloat64);
  Conv conv{.weight = filters.to(torch::kFloat32) * 0.25F, .bias = torch::zeros({6})};
  conv.padding = {1, 1};
  conv.weight_scale = torch::tensor({0.25F});
  conv.groups = 2;
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 600, 4, 4});
  const NodeId read = graph.add(in, {image}, "");
  const NodeId made = graph.add(conv, {read}, "");
  graph.set_outputs({{"y", made}});
  const auto x = (codes * 0.5).to(torch::kFloat32);
  const auto got = run_graph(graph, x, std::array{made})[0];
  const auto sums = torch::conv2d(codes, filters, {}, 1, 1, 1, 2);
  EXPECT_GT(sums.max().item<double>(), 1 << 24);
  EXPECT_TRUE(got.equal((sums.to(torch::kFloat32) * 0.125F)));
}

TEST(Graph, SizesNearTheLimitsOfIntegersAreRefused) {
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 3, 8, 8});
  Conv conv = conv1x1(3, 4);
  conv.weight = torch::ones({4, 3, 2, 2});
  conv.dilation = {int64_t{1} << 62, 1};
  EXPECT_THROW(graph.add(conv, {image}, ""), Error);
  conv.dilation = {1, 1};
  conv.padding = {int64_t{1} << 62, int64_t{1} << 62};
  EXPECT_THROW(graph.add(conv, {image}, ""), Error);
}

// Each level reads the one before twice: 2^100 ways lead to the quantizer.
TEST(Graph, QuantizationBehindManyConcatsIsFoundAtOnce) {
  Graph graph;
  NodeId id = graph.add_input("image", {1, 1, 4, 4});
  const FakeQuantize grid{0.5F, 0, false};
  id = graph.add(grid, {id}, "");
  const NodeId quantizer = id;
  for (int i = 0; i < 100; ++i) {
    id = graph.add(Concat{}, {id, id}, "");
    id = graph.add(Slice{{1}, {0}, {1}, {1}}, {id}, "");
  }
  EXPECT_EQ(grid_of(graph, id), grid);
  const FakeQuantize other{0.25F, 3, false};
  graph.replace(quantizer, other);
  EXPECT_EQ(grid_of(graph, id), other);
}

TEST(RemoveUnused, KeepsInputsAndWhatOutputsDependOn) {
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 1, 4, 4});
  graph.add(Sigmoid{}, {image}, "");
  graph.set_outputs({{"y", graph.add(Relu{}, {image}, "")}});
  const Graph smaller = remove_unused(graph);
  ASSERT_EQ(smaller.nodes().size(), 2u);
  EXPECT_EQ(smaller.output("y"), 1u);
}

TEST(OperatorTable, HasTheOperatorsOfDepthNetworks) {
  for (const char* type : {"Conv",
                           "ConvTranspose",
                           "Clip",
                           "HardSwish",
                           "HardSigmoid",
                           "Mul",
                           "Add",
                           "Sub",
                           "Div",
                           "AveragePool",
                           "GlobalAveragePool",
                           "MaxPool",
                           "Resize",
                           "Gemm",
                           "MatMul",
                           "Softmax",
                           "ReduceSum",
                           "ReduceMean",
                           "Pad",
                           "Slice",
                           "Split",
                           "Concat",
                           "Transpose",
                           "Reshape",
                           "Flatten",
                           "Squeeze",
                           "Unsqueeze",
                           "BatchNormalization",
                           "Constant",
                           "Identity",
                           "Dropout",
                           "Cast",
                           "LeakyRelu",
                           "PRelu",
                           "Sigmoid",
                           "Tanh",
                           "Exp",
                           "Gather",
                           "Shape",
                           "Expand"}) {
    EXPECT_NE(find_form(type, "", 18), nullptr) << type;
  }
  EXPECT_EQ(find_form("Einsum", "", 18), nullptr);
  EXPECT_EQ(find_form("HardSwish", "", 13), nullptr);  // since opset 14
}

}  // namespace
}  // namespace dualdepth::graph
