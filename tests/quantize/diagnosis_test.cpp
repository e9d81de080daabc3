#include "dualdepth/quantize/diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace dualdepth::quantize {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// image -> conv large (1 x) -> Relu \.
//       -> conv small (0.01 x) -> Relu - Concat -> conv end -> Sigmoid -> depth
class TinyDepth : public ::testing::Test {
 protected:
  TinyDepth() {
    contract_.outputs = {{.name = "depth", .is = OutputKind::kDepth}};
    contract_.input.size = {8, 8};
    const auto image = graph_.add_input("image", {1, 3, 8, 8});
    const auto eye = torch::eye(3).view({3, 3, 1, 1});
    const auto zero = torch::zeros({3});
    const auto large = graph_.add(graph::Conv{eye.clone(), zero.clone()}, {image}, "large");
    const auto small = graph_.add(graph::Conv{0.01 * eye, zero.clone()}, {image}, "small");
    const auto large_relu = graph_.add(graph::Relu{}, {large}, "large");
    const auto small_relu = graph_.add(graph::Relu{}, {small}, "small");
    const auto joined = graph_.add(graph::Concat{}, {large_relu, small_relu}, "joined");
    const auto end = graph_.add(
        graph::Conv{torch::full({1, 6, 1, 1}, 0.5F), torch::full({1}, -1.F)}, {joined}, "end");
    const auto sigmoid = graph_.add(graph::Sigmoid{}, {end}, "end");
    const auto depth =
        graph_.add(graph::ComposeDepth{HeadKind::kSigmoid, contract_.codec}, {sigmoid}, "");
    graph_.set_outputs({{"depth", depth}});
    options_.center = options_.equalize = false;
    options_.correct_bias = options_.round_adaptively = false;
    options_.ranges = RangeMethod::kMinMax;
  }

  // high: of the range of both values that the Concat joins, which share a scale; none: theirs.
  std::string advice_for(const std::string& name, std::optional<float> high = {}) const {
    Plan plan = quantize_graph(graph_, contract_, pictures_, options_).plan;
    for (const char* joined : {"/large/Relu", "/small/Relu", "/joined/Concat"}) {
      if (high) plan.values.at(joined).scale = *high / 255;
    }
    const auto quantization = quantize_graph(graph_, plan, contract_, pictures_, options_);
    for (const auto& layer : diagnose(quantization, contract_, pictures_)) {
      if (layer.name == name) return layer.advice;
    }
    return "no such layer";
  }

  graph::Graph graph_;
  Contract contract_;
  QuantizeOptions options_;
  // The first is black: nothing saturates there. The second holds 0 to 1 evenly.
  Pictures pictures_{2, [](size_t index) {
                       return index == 0 ? torch::zeros({1, 3, 8, 8})
                                         : torch::linspace(0, 1, 192).view({1, 3, 8, 8});
                     }};
};

// Half the values of the second picture are a quarter of all.
TEST_F(TinyDepth, SaturationIsMeasuredOnAllPictures) {
  EXPECT_THAT(advice_for("/large/Relu", 0.5F), HasSubstr("saturation: 25.0 %"));
}

// It uses 1 % of the codes, and must: the other member of the Concat needs the rest.
TEST_F(TinyDepth, AMemberOfAConcatIsNotDeadWhereAnotherUsesTheCodes) {
  EXPECT_THAT(advice_for("/small/Relu"), IsEmpty());
  EXPECT_THAT(advice_for("/large/Relu"), IsEmpty());
}

TEST_F(TinyDepth, ARangeThatNoValueUsesIsDead) {
  EXPECT_THAT(advice_for("/large/Relu", 10.F), HasSubstr("dead range: values use 10 %"));
}

}  // namespace
}  // namespace dualdepth::quantize
