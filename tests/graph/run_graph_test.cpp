#include "dualdepth/graph/run_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dualdepth/graph/patterns.h"

namespace dualdepth::graph {
namespace {

TEST(FakeQuantize, RoundsHalvesToEvenAndSaturates) {
  // Steps of 0.5 from -(3) to 255 - 3.
  const FakeQuantize grid{0.5F, 3, false};
  const auto x = torch::tensor({-9.F, -0.25F, 0.25F, 0.75F, 1.1F, 1000.F});
  EXPECT_TRUE(
      torch::equal(fake_quantize(x, grid), torch::tensor({-1.5F, 0.F, 0.F, 1.F, 1.F, 126.F})));
}

TEST(FakeQuantize, IsSymmetricWhenSigned) {
  const auto x = torch::tensor({-300.F, -1.6F, 300.F});
  EXPECT_TRUE(torch::equal(fake_quantize(x, {1, 0, true}), torch::tensor({-128.F, -2.F, 127.F})));
}

// Channels 0..2 of four pixels: the greatest, two that are equal, NaN, infinity; in either order of
// memory.
TEST(ArgMax, IsTheFirstOfTheGreatestChannels) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto pixels = torch::tensor({1.F, 3.F, 2.F, -1.F, 5.F, 5.F, 9.F, kNaN, 10.F, -kInfinity,
                                     -kInfinity, -kInfinity})
                          .view({1, 2, 2, 3});
  const auto expected = torch::tensor({1, 1, 1, 0}, torch::kInt64).view({1, 1, 2, 2});
  Graph graph;
  const NodeId level = graph.add(ArgMax{}, {graph.add_input("x", {1, 3, 2, 2})}, "");
  graph.set_outputs({{"level", level}});
  const auto channels_last = pixels.permute({0, 3, 1, 2});
  for (const auto& x : {channels_last, channels_last.contiguous()}) {
    EXPECT_TRUE(torch::equal(run_graph(graph, x, std::array{level})[0], expected));
  }
}

// A head of 300 lines, more than one stripe, against LibTorch's convolution as a whole.
TEST(RunGraph, ComputesTheIntegerHeadInStripes) {
  torch::manual_seed(1);
  const auto weight = torch::randn({7, 2, 3, 3});
  const auto bias = torch::randn({7});
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 2, 300, 64});
  const NodeId head =
      graph.add(Conv{.weight = weight, .bias = bias, .padding = {1, 1}}, {image}, "head");
  const NodeId relu = graph.add(Relu{}, {head}, "head");
  const NodeId level = graph.add(ArgMax{}, {relu}, "head");
  graph.set_outputs({{"level", level}});
  EXPECT_EQ(integer_head(graph), (std::vector<NodeId>{head, relu, level}));

  const auto x = torch::randn({1, 2, 300, 64});
  int stripes = 0;
  const auto said = run_graph(graph, x, std::array{level}, [&](NodeId id, const torch::Tensor&) {
    stripes += id == head ? 1 : 0;
  });
  EXPECT_GT(stripes, 1);
  const auto whole = torch::conv2d(x, weight, bias, 1, 1).relu().argmax(1, true);
  EXPECT_GT(said[0].eq(whole).to(torch::kFloat64).mean().item<double>(), 0.9999);
}

// ONNX's QLinearConv by its definition: sums in 64-bit integers, then float32(sum) times
// s_x s_w / s_y, half to even. Sums reach 4e7, which a float32 sum would not hold exactly.
TEST(RunGraph, ConvolutionsOnGridsAreSummedInWholeNumbers) {
  torch::manual_seed(2);
  constexpr int64_t kChannels = 600;
  constexpr int64_t kSize = 4;
  const FakeQuantize in{0.031F, 5, false};
  const FakeQuantize out{5.0F, 7, false};
  const auto steps = torch::randint(0, 256, {1, kChannels, kSize, kSize}, torch::kInt64);
  const auto filters = torch::randint(-60, 128, {3, kChannels, 3, 3}, torch::kInt64);
  const auto biases = torch::tensor({100000, -3000000, 7}, torch::kInt64);
  const auto scale = torch::tensor({0.0011F, 0.0007F, 0.0013F});
  Conv conv{.weight = filters * scale.view({-1, 1, 1, 1}),
            .bias = (biases.to(torch::kFloat64) * scale.to(torch::kFloat64) *
                     static_cast<double>(in.scale))
                        .to(torch::kFloat32),
            .padding = {1, 1}};
  conv.weight_scale = scale;
  Graph graph;
  const NodeId image = graph.add_input("image", {1, kChannels, kSize, kSize});
  const NodeId read = graph.add(in, {image}, "");
  const NodeId made = graph.add(conv, {read}, "");
  const NodeId gridded = graph.add(out, {made}, "");
  graph.set_outputs({{"y", gridded}});
  const auto x = (steps - in.zero_point) * in.scale;
  const auto said = (run_graph(graph, x, std::array{gridded})[0] / out.scale).round();

  const auto q = steps.accessor<int64_t, 4>();
  const auto w = filters.accessor<int64_t, 4>();
  for (int64_t o = 0; o < 3; ++o) {
    const float factor = in.scale * scale[o].item<float>() / out.scale;
    for (int64_t y = 0; y < kSize; ++y) {
      for (int64_t column = 0; column < kSize; ++column) {
        int64_t sum = biases[o].item<int64_t>();
        for (int64_t c = 0; c < kChannels; ++c) {
          for (int64_t i = 0; i < 9; ++i) {
            const int64_t row = y + i / 3 - 1;
            const int64_t place = column + i % 3 - 1;
            if (row < 0 || row >= kSize || place < 0 || place >= kSize) continue;
            sum += (q[0][c][row][place] - in.zero_point) * w[o][c][i / 3][i % 3];
          }
        }
        const float wanted =
            std::clamp(std::nearbyint(static_cast<float>(sum) * factor), -7.F, 248.F);
        EXPECT_EQ(said[0][o][y][column].item<float>(), wanted) << o << " " << y << " " << column;
      }
    }
  }
}

TEST(RunGraph, GridsPassThroughMaxPoolUpsampleAndEqualConcats) {
  Graph graph;
  const NodeId image = graph.add_input("image", {1, 1, 4, 4});
  const NodeId grid = graph.add(FakeQuantize{0.5F, 0, false}, {image}, "");
  const NodeId other = graph.add(FakeQuantize{0.25F, 0, false}, {image}, "");
  const NodeId up = graph.add(Upsample{2}, {grid}, "");
  const NodeId same = graph.add(Concat{}, {grid, grid}, "");
  const NodeId mixed = graph.add(Concat{}, {grid, other}, "");
  EXPECT_EQ(grid_of(graph, up), (FakeQuantize{0.5F, 0, false}));
  EXPECT_EQ(grid_of(graph, same), (FakeQuantize{0.5F, 0, false}));
  EXPECT_FALSE(grid_of(graph, mixed).has_value());
  EXPECT_FALSE(grid_of(graph, image).has_value());
}

}  // namespace
}  // namespace dualdepth::graph
