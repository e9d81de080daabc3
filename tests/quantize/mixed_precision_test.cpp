#include "dualdepth/quantize/mixed_precision.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dualdepth/base/error.h"

namespace dualdepth::quantize {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

torch::Tensor noise(size_t index) {
  const auto generator = at::detail::createCPUGenerator(index + 100);
  return torch::rand({1, 3, 8, 16}, generator);
}

// image -> conv a -> Relu -> conv b -> Relu -> conv c -> Relu -> both heads, of 16 levels. One
// filter of b is a thousand times the others, which a single scale therefore rounds to nothing.
class MixedPrecisionTest : public ::testing::Test {
 protected:
  MixedPrecisionTest() {
    torch::manual_seed(2);
    contract_.outputs = {{.name = "level", .is = OutputKind::kLevel},
                         {.name = "fraction", .is = OutputKind::kFraction}};
    contract_.input.size = {8, 16};
    contract_.codec.n_integer_levels = 16;
    auto value = graph_.add_input("image", {1, 3, 8, 16});
    for (const char* name : {"a", "b", "c"}) {
      auto layer = conv(graph_.node(value).shape[1], 8);
      if (std::string(name) == "b") layer.weight[5].mul_(1000);
      value = graph_.add(graph::Relu{}, {graph_.add(layer, {value}, name)}, name);
    }
    const auto logits = graph_.add(conv(8, 16), {value}, "integer");
    const auto level = graph_.add(graph::ArgMax{}, {logits}, "integer");
    const auto sum = graph_.add(conv(8, 1), {value}, "fraction");
    const auto fraction = graph_.add(graph::Sigmoid{}, {sum}, "fraction");
    graph_.set_outputs({{"level", level}, {"fraction", fraction}});
  }

  static graph::Conv conv(int64_t in, int64_t out) {
    return {.weight = torch::randn({out, in, 3, 3}) / (3 * in),
            .bias = 0.1 * torch::randn({out}),
            .padding = {1, 1}};
  }

  MixedQuantization quantize(const MixedPrecision& mixed,
                             const std::optional<Target>& target = {}) const {
    QuantizeOptions options;
    options.target = target;
    options.weights = WeightGranularity::kPerTensor;
    options.center = options.equalize = options.correct_bias = options.round_adaptively = false;
    options.judged_pictures = 2;
    return quantize_mixed(graph_, contract_, {2, noise}, options, mixed);
  }

  // Names of the convolutions with float filters.
  static std::set<std::string> in_float(const graph::Graph& graph) {
    const auto names = graph::node_names(graph);
    std::set<std::string> found;
    for (graph::NodeId id = 0; id < names.size(); ++id) {
      const auto* conv = std::get_if<graph::Conv>(&graph.node(id).operation);
      if (conv != nullptr && !conv->weight_scale.defined()) found.insert(names[id]);
    }
    return found;
  }

  // 1 for the float network, a tenth more for each convolution in 8 bits.
  static double tenth_each(const graph::Graph& graph) {
    return 1 + 0.1 * (5 - static_cast<double>(in_float(graph).size()));
  }

  static void expect_float_are_the_kept(const MixedQuantization& found) {
    EXPECT_EQ(in_float(found.quantization.graph),
              std::set<std::string>(found.kept.begin(), found.kept.end()));
  }

  graph::Graph graph_;
  Contract contract_;
};

TEST_F(MixedPrecisionTest, WithoutARequestEveryConvolutionIsIn8Bits) {
  const auto found = quantize({});
  EXPECT_TRUE(found.kept.empty());
  EXPECT_TRUE(in_float(found.quantization.graph).empty());
  EXPECT_EQ(found.ratio, 0);
}

TEST_F(MixedPrecisionTest, TheMostSensitiveConvolutionsStayFloat) {
  const auto found = quantize({.keep = 2});
  ASSERT_EQ(found.kept.size(), 2U);
  EXPECT_EQ(found.kept.front(), "/b/Conv");
  expect_float_are_the_kept(found);
  EXPECT_EQ(quantize({.keep = 100}).kept.size(), 5U);
}

TEST_F(MixedPrecisionTest, TheFewestThatHoldTheBudgetStayFloat) {
  for (const size_t fewest : {0, 1, 2, 3, 4, 5}) {
    SCOPED_TRACE(fewest);
    int calls = 0;
    const double budget = 1 + 0.1 * (5 - static_cast<double>(fewest)) + 0.05;
    const auto found = quantize({.budget = budget, .error = [&](const graph::Graph& graph) {
                                   ++calls;
                                   return tenth_each(graph);
                                 }});
    EXPECT_EQ(found.kept.size(), fewest);
    expect_float_are_the_kept(found);
    EXPECT_NEAR(found.ratio, budget - 0.05, 1e-9);
    EXPECT_LE(calls, 7);  // float, none kept, then 1, 2, 4, 5 and one between at most
    if (fewest > 0) {
      EXPECT_EQ(found.kept.front(), "/b/Conv");
    }
  }
}

// Float has accuracy 1 and each convolution in 8 bits costs a tenth: 0.8 with three in float, and
// float's is 1.25 times that.
TEST_F(MixedPrecisionTest, TheBudgetOfAnAccuracyIsFloatsOverThatIn8Bits) {
  const auto found =
      quantize({.budget = 1.26,
                .error = [](const graph::Graph& graph) { return 2 - tenth_each(graph); },
                .better = Better::kHigher});
  EXPECT_EQ(found.kept.size(), 3U);
  EXPECT_NEAR(found.ratio, 1.25, 1e-9);
}

// The error names c, though depth suffers most from b.
TEST_F(MixedPrecisionTest, ByErrorThoseStayFloatThatHarmItMost) {
  const auto harm = [&](const graph::Graph& graph) {
    return in_float(graph).contains("/c/Conv") ? 0.1 : 0.5;
  };
  for (const auto better : {Better::kLower, Better::kHigher}) {
    const auto found =
        quantize({.keep = 1,
                  .error =
                      [&](const graph::Graph& graph) {
                        return better == Better::kLower ? harm(graph) : 1 - harm(graph);
                      },
                  .better = better,
                  .sensitivity = Sensitivity::kError});
    EXPECT_THAT(found.kept, ::testing::ElementsAre("/c/Conv"));
  }
}

TEST_F(MixedPrecisionTest, SensitivityIsMeasuredOnTheJudgedPictures) {
  std::set<size_t> seen;
  const Pictures judged{2, [&](size_t index) {
                          seen.insert(index);
                          return noise(10 + index);
                        }};
  EXPECT_EQ(quantize({.keep = 1, .judged = judged}).kept.size(), 1U);
  EXPECT_EQ(seen.size(), 2U);
}

// 1 for the float network, a tenth more for each convolution in 8 bits, a twentieth in 16.
TEST_F(MixedPrecisionTest, SixteenBitsComeBeforeFloatWhereTheTargetHasThem) {
  Target target = target_of(OnnxProfile::kPortable);
  target.values.bits = target.weights.bits = {8, 16};
  const auto error = [](const graph::Graph& graph) {
    double sum = 1;
    for (const auto& node : graph.nodes()) {
      const auto* conv = std::get_if<graph::Conv>(&node.operation);
      if (conv == nullptr || !conv->weight_scale.defined()) continue;
      const auto codes = conv->weight / conv->weight_scale.view({-1, 1, 1, 1});
      sum += codes.abs().max().item<float>() > 127.5F ? 0.05 : 0.1;
    }
    return sum;
  };
  const auto some = quantize({.budget = 1.41, .error = error}, target);
  EXPECT_EQ(some.wide.size(), 2U);
  EXPECT_EQ(some.wide.front(), "/b/Conv");
  EXPECT_TRUE(some.kept.empty());
  EXPECT_EQ(some.quantization.plan.filters.at("/b/Conv").bits, 16);
  EXPECT_EQ(some.quantization.plan.values.at("/b/Relu").bits, 16);
  const auto more = quantize({.budget = 1.21, .error = error}, target);
  EXPECT_EQ(more.wide.size(), 4U);
  EXPECT_EQ(more.kept, std::vector<std::string>{"/b/Conv"});
}

TEST_F(MixedPrecisionTest, TheErrorIsMeasuredOfTheFloatNetworkOnce) {
  int of_float = 0;
  quantize({.budget = 1.15, .error = [&](const graph::Graph& graph) {
              if (graph.nodes().size() == graph_.nodes().size()) ++of_float;
              return tenth_each(graph);
            }});
  EXPECT_EQ(of_float, 1);
}

TEST_F(MixedPrecisionTest, ABudgetBeyondReachSaysWhatAllInFloatCosts) {
  int calls = 0;
  const auto never = [&](const graph::Graph&) { return calls++ == 0 ? 1.0 : 1.5; };
  EXPECT_THAT([&] { quantize({.budget = 1.25, .error = never}); },
              ThrowsMessage<Error>(AllOf(HasSubstr("budget"), HasSubstr("at most 1.25 times"),
                                         HasSubstr("1.500 times with every convolution in float"),
                                         HasSubstr("raise the budget"))));
}

}  // namespace
}  // namespace dualdepth::quantize
