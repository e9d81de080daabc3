#include "dualdepth/graph/filters.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "dualdepth/graph/graph.h"
#include "dualdepth/graph/run_graph.h"

namespace dualdepth::graph {
namespace {

// Two groups of two input and three output channels; the tens of a weight are its input channel,
// the ones its output channel in the group.
TEST(Filters, OfATransposedConvolutionLieByOutputChannel) {
  const auto weight =
      torch::tensor({0.F, 1.F, 2.F, 10.F, 11.F, 12.F, 20.F, 21.F, 22.F, 30.F, 31.F, 32.F})
          .view({4, 3, 1, 1});
  const Operation conv = ConvTranspose{.weight = weight, .bias = torch::zeros({6}), .groups = 2};
  const auto filters = filters_of(conv);
  ASSERT_TRUE(filters.has_value());
  const auto expected =
      torch::tensor({0.F, 10.F, 1.F, 11.F, 2.F, 12.F, 20.F, 30.F, 21.F, 31.F, 22.F, 32.F})
          .view({6, 2, 1, 1});
  EXPECT_TRUE(torch::equal(filters->weight, expected));
  const auto back = std::get<ConvTranspose>(with_filters(conv, *filters));
  EXPECT_TRUE(torch::equal(back.weight, weight));
}

TEST(Filters, OfOtherOperatorsThereAreNone) { EXPECT_FALSE(filters_of(Relu()).has_value()); }

TEST(Filters, LieAlongOneAxisUnlessSeveralGroupsShareIt) {
  const auto axis = [](int64_t channels, int64_t filters, int64_t groups) {
    return axis_of_filters(ConvTranspose{.weight = torch::ones({channels, filters / groups, 1, 1}),
                                         .bias = torch::zeros({filters}),
                                         .groups = groups});
  };
  EXPECT_EQ(axis_of_filters(Conv()), 0);
  EXPECT_EQ(axis(4, 6, 1), 1);
  EXPECT_EQ(axis(4, 4, 4), 0);
  EXPECT_EQ(axis(4, 6, 2), std::nullopt);
  EXPECT_EQ(axis(4, 2, 2), std::nullopt);
}

struct Case {
  int64_t groups, bits;
};

class TransposedInCodes : public ::testing::TestWithParam<Case> {};

// Against float64, in which the sums are exact: a code of the result differs only where the sum
// lies next to the middle of two.
TEST_P(TransposedInCodes, SumsWholeNumbers) {
  torch::manual_seed(3);
  const auto [groups, bits] = GetParam();
  const int64_t greatest = bits == 8 ? 127 : 32767;
  const auto filter_codes = torch::randint(-greatest, greatest + 1, {6, 8 / groups, 4, 4});
  const auto scale = (torch::rand({6}) + 0.1) / static_cast<double>(greatest);
  const auto bias_codes = torch::randint(-1000, 1001, {6});
  const FakeQuantize input{
      .scale = 2.F / static_cast<float>(greatest), .zero_point = greatest + 1, .bits = bits};
  const double step = input.scale;
  const auto layout = ConvTranspose{.weight = torch::empty({8, 6 / groups, 4, 4}),
                                    .bias = torch::empty({6}),
                                    .stride = {2, 2},
                                    .padding = {1, 1},
                                    .groups = groups};
  const auto conv = with_filters(
      layout, {filter_codes * scale.view({-1, 1, 1, 1}),
               (bias_codes * scale.to(torch::kFloat64) * step).to(torch::kFloat32), scale});
  const FakeQuantize output{.scale = 0.125F, .zero_point = 128};
  Graph graph;
  const auto image = graph.add_input("image", {1, 8, 5, 6});
  const auto value = graph.add(input, {image}, "in");
  const auto quantized = graph.add(output, {graph.add(conv, {value}, "up")}, "out");
  graph.set_outputs({{"value", quantized}});
  const auto picture = torch::randn({1, 8, 5, 6});
  const auto got = run_graph(graph, picture, output_nodes(graph)).at(0).to(torch::kFloat64);

  const auto codes = (picture / input.scale).round().clamp(-greatest - 1, greatest);
  const auto weights =
      std::get<ConvTranspose>(with_filters(layout, {filter_codes.to(torch::kFloat64), {}})).weight;
  const auto sums = torch::conv_transpose2d(codes.to(torch::kFloat64), weights,
                                            bias_codes.to(torch::kFloat64), 2, 1, 0, groups);
  const auto expected =
      (sums * scale.to(torch::kFloat64).view({1, -1, 1, 1}) * step / 0.125).clamp(-128, 127);
  EXPECT_GT(expected.std().item<double>(), 5);
  EXPECT_LE((got / 0.125 - expected).abs().max().item<double>(), 0.5 + 1e-3);
}

INSTANTIATE_TEST_SUITE_P(GroupsAndBits, TransposedInCodes,
                         ::testing::Values(Case{1, 8}, Case{2, 8}, Case{1, 16}, Case{2, 16}),
                         [](const auto& info) {
                           return std::to_string(info.param.groups) + "Groups" +
                                  std::to_string(info.param.bits) + "Bits";
                         });

}  // namespace
}  // namespace dualdepth::graph
