#include <gmock/gmock.h>

#include "dualdepth/graph/clipped_winners.h"
#include "dualdepth/graph/filters.h"
#include "lowered_graph.h"

namespace dualdepth {
namespace {

TEST_F(LoweredGraph, OfFloatsComputesTheGraphWithItsOwnHeadAndTransposedConvolution) {
  add_outputs(feature_, add_logits(feature_));
  const auto model = open_lowered(graph_, contract_, {.profile = true});
  const auto got = model->run(image_);
  const auto [level, fraction] = reference(graph_);
  EXPECT_GT(equal_share(got.at("level"), level), 0.99);  // all but ties in the last bit
  EXPECT_LT((got.at("fraction") - fraction).abs().max().item<double>(), 1e-5);
  auto ran = kinds(*model);
  EXPECT_EQ(ran["Reference"], 1);  // an operation that OpenVINO does not know
  EXPECT_EQ(ran["Deconvolution"] + ran["ConvolutionBackpropData"], 1);
  EXPECT_EQ(ran["TopK"] + ran["Interpolate"], 0);
}

// LibTorch's argmax of the Relu: of pixels without a logit above 0 the first level.
TEST_F(LoweredGraph, ReturnsTheFirstLevelWhereTheReluClipsTheWinner) {
  const auto logits = add_logits(feature_);
  auto shifted = std::get<graph::Conv>(graph_.node(logits).operation);
  const auto map = graph::run_graph(graph_, image_, std::array{feature_})[0];
  const auto sums = torch::conv2d(map, shifted.weight, shifted.bias, 1, 1);
  shifted.bias = shifted.bias - sums.amax(1).median();
  graph_.replace(logits, shifted);
  add_outputs(feature_, graph_.add(graph::Relu{}, {logits}, "integer"));
  const auto expected =
      torch::conv2d(map, shifted.weight, shifted.bias, 1, 1).relu().argmax(1, true);
  const int64_t clipped = graph::count_clipped_winners(graph_, image_);
  EXPECT_NEAR(static_cast<double>(clipped), 0.5 * 32 * 64, 2);
  const auto level = open_lowered(graph_, contract_)->run(image_).at("level");
  EXPECT_GT(equal_share(level, expected), 0.99);
  EXPECT_NEAR(static_cast<double>(level.eq(0).sum().item<int64_t>()),
              static_cast<double>(expected.eq(0).sum().item<int64_t>()), 2);
}

// A factor for each level, some of them negative, turns the order of the logits.
TEST_F(LoweredGraph, DoesNotLookForTheHeadBehindFactorsOfItsLevels) {
  const auto factors = torch::linspace(-1, 1, kLevels);
  const auto weighted = graph_.add(graph::Affine{factors, torch::zeros({kLevels})},
                                   {add_logits(feature_)}, "integer");
  add_outputs(feature_, weighted);
  const auto level = open_lowered(graph_, contract_)->run(image_).at("level");
  EXPECT_GT(equal_share(level, reference(graph_).first), 0.99);
}

TEST_F(LoweredGraph, ReturnsTheFirstOfEqualLevelsOfA1x1Head) {
  graph::Conv head = conv(kLevels, 16, 1, 1);
  head.weight.zero_();
  head.bias.zero_();
  head.bias[3] = 2;
  head.bias[5] = 2;
  add_outputs(feature_, graph_.add(head, {feature_}, "integer"));
  const auto level = open_lowered(graph_, contract_)->run(image_).at("level");
  EXPECT_TRUE(level.eq(3).all().item<bool>());
}

TEST_F(LoweredGraph, OfMaxPoolAndAddComputesTheGraph) {
  const auto pooled = graph_.add(graph::MaxPool{{3, 3}, {2, 2}, {1, 1}}, {feature_}, "");
  const auto sum = graph_.add(graph::Add{}, {pooled, pooled}, "");
  add_outputs(sum, add_logits(sum));
  const auto got = open_lowered(graph_, contract_)->run(image_);
  const auto [level, fraction] = reference(graph_);
  EXPECT_GT(equal_share(got.at("level"), level), 0.97);
  EXPECT_LT((got.at("fraction") - fraction).abs().max().item<double>(), 1e-5);
}

// 8 bits: feature and filters are codes. The kernel reads sums, in front of the logits' codes.
class LoweredCodes : public LoweredGraph {
 protected:
  static graph::Conv in_codes(graph::Conv conv) {
    conv.weight_scale = conv.weight.flatten(1).abs().amax(1) / 127;
    const auto scale = conv.weight_scale.view({-1, 1, 1, 1});
    conv.weight = (conv.weight / scale).round() * scale;
    return conv;
  }

  graph::NodeId add_codes(graph::NodeId value, float scale, int64_t zero_point) {
    return graph_.add(graph::FakeQuantize{.scale = scale, .zero_point = zero_point}, {value}, "");
  }
};

TEST_F(LoweredCodes, GiveTheLevelsOfTheExactSums) {
  const auto codes = add_codes(feature_, 0.02F, 0);
  const auto head = in_codes(conv(kLevels, 16, 1));
  add_outputs(codes, add_codes(graph_.add(head, {codes}, "integer"), 0.05F, 200));
  const auto map = graph::run_graph(graph_, image_, std::array{codes})[0].to(torch::kFloat64);
  const auto bias = integer_bias(graph::filters_of(head), 0.02F) * (head.weight_scale * 0.02F);
  const auto sums =
      torch::conv2d(map, head.weight.to(torch::kFloat64), bias.to(torch::kFloat64), 1, 1);
  const auto model = open_lowered(graph_, contract_, {.profile = true});
  const auto level = model->run(image_).at("level");
  EXPECT_GT(equal_share(level, sums.argmax(1, true)), 0.99);  // but where a code of the map differs
  EXPECT_EQ(kinds(*model)["Reference"], 1);
}

// All levels whose code is 0 are equal behind it: the file returns the first.
TEST_F(LoweredCodes, ReturnTheFirstLevelWhereTheLowestCodeClipsTheWinner) {
  const auto codes = add_codes(feature_, 0.02F, 0);
  auto head = in_codes(conv(kLevels, 16, 1));
  head.bias = head.bias - 100;
  add_outputs(codes, add_codes(graph_.add(head, {codes}, "integer"), 0.05F, 0));
  EXPECT_EQ(graph::count_clipped_winners(graph_, image_), 32 * 64);
  const auto level = open_lowered(graph_, contract_)->run(image_).at("level");
  EXPECT_TRUE(level.eq(0).all().item<bool>());
}

}  // namespace
}  // namespace dualdepth
