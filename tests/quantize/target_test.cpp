#include "dualdepth/quantize/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "dualdepth/base/error.h"

namespace dualdepth::quantize {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::string_view kShiftChip = R"({
  "format_version": 2, "name": "shift-chip", "onnx_profile": "npu",
  "opset": 9, "outputs": ["level", "fraction"],
  "values": {"bits": [8], "symmetric": true, "power_of_two_scales": true},
  "weights": {"bits": [8], "granularities": ["per-tensor"]},
  "bias": "int32", "rounding": "half-to-even",
  "operators": {
    "Conv": {"reads": "codes", "writes": "codes", "fuses": ["Relu"]},
    "Upsample": {"reads": "moves", "writes": "moves", "one_scale": true}}
})";

std::string with(std::string_view old, std::string_view changed) {
  std::string text(kShiftChip);
  return text.replace(text.find(old), old.size(), changed);
}

TEST(ParseTarget, ReadsWhatAChipComputes) {
  const Target target = parse_target(kShiftChip, "chip.json");
  EXPECT_EQ(target.name, "shift-chip");
  EXPECT_EQ(target.profile, OnnxProfile::kNpu);
  EXPECT_TRUE(target.values.is_symmetric);
  EXPECT_TRUE(target.values.has_power_of_two_scale);
  EXPECT_EQ(target.bias, BiasFormat::kInt32);
  EXPECT_THAT(target.weights.granularities, ElementsAre(WeightGranularity::kPerTensor));
  EXPECT_TRUE(target.rule(graph::Conv{}).fuses_with(Fused::kRelu));
  EXPECT_EQ(target.rule(graph::Upsample{}).reads, Access::kMoves);
  EXPECT_EQ(target.rule(graph::Sigmoid{}).writes, Access::kFloat);
}

TEST(ParseTarget, NamesTheEntryThatIsWrong) {
  struct Case {
    std::string text;
    const char* named;
  };
  for (const auto& [text, named] :
       {Case{"[1, 2", "chip.json"}, Case{"{}", "format_version"},
        Case{with(R"("bits": [8], "symm)", R"("bits": [7], "symm)"), "values.bits"},
        Case{with("per-tensor", "per-filter"), "granularities"},
        Case{with(R"("codes", "writes")", R"("int8", "writes")"), "Conv.reads"},
        Case{with("one_scale", "one_scael"), "one_scael"},
        Case{with(R"(["Relu"])", R"(["Gelu"])"), "Gelu"},
        Case{with(R"("bias": "int32")", R"("bias": 7)"), "bias"}}) {
    EXPECT_THAT([&] { parse_target(text, "chip.json"); }, ThrowsMessage<Error>(HasSubstr(named)))
        << text;
  }
}

TEST(ParseTarget, HasBitsOfOperatorsAndTheOpsetOfItsProfile) {
  std::string text = with(R"("bits": [8], "symm)", R"("bits": [8, 16], "symm)");
  const auto change = [&](const std::string& old, const std::string& changed) {
    text.replace(text.find(old), old.size(), changed);
  };
  change(R"("opset": 9)", R"("opset": 21)");
  EXPECT_THAT([&] { parse_target(text, "chip.json"); },
              ThrowsMessage<Error>(HasSubstr("opset: expected 9, that of profile npu, got 21")));
  change(R"("onnx_profile": "npu")", R"("onnx_profile": "portable")");
  change(R"("opset": 21)", R"("opset": 12)");
  EXPECT_THAT([&] { parse_target(text, "chip.json"); },
              ThrowsMessage<Error>(HasSubstr("opset: expected 13 to 21, got 12")));
  change(R"("opset": 12)", R"("opset": 13)");
  change(R"("Upsample": {)", R"("Upsample": {"value_bits": [8], )");
  const Target target = parse_target(text, "chip.json");
  EXPECT_THAT(target.value_bits(graph::Conv{}), ElementsAre(8, 16));
  EXPECT_THAT(target.value_bits(graph::Upsample{}), ElementsAre(8));
  EXPECT_EQ(parse_target(to_json(target), "copy.json"), target);
}

TEST(ExpectOutputs, RefusesWhatTheTargetsFilesMayNotHave) {
  const Target target = parse_target(kShiftChip, "chip.json");
  Contract contract;
  contract.outputs = {{.name = "level", .is = OutputKind::kLevel}};
  EXPECT_NO_THROW(expect_outputs(target, contract));
  contract.outputs.push_back({.name = "metres", .is = OutputKind::kDepth});
  EXPECT_THAT([&] { expect_outputs(target, contract); },
              ThrowsMessage<Error>(HasSubstr("level, fraction, got metres, which is depth")));
}

TEST(TargetOf, ShipsOneForEachProfile) {
  for (const auto& [profile, name] : EnumNames<OnnxProfile>::values) {
    EXPECT_EQ(target_of(profile).name, name);
    EXPECT_EQ(target_of(profile).profile, profile);
  }
  EXPECT_TRUE(target_of(OnnxProfile::kTensorRt).values.is_symmetric);
  EXPECT_EQ(target_of(OnnxProfile::kTensorRt).bias, BiasFormat::kFloat);
}

// image -> conv -> Relu -> Upsample -> conv -> Sigmoid
TEST(PlaceGrids, FollowsTheRulesOfATarget) {
  graph::Graph graph;
  const auto image = graph.add_input("image", {1, 1, 4, 4});
  const graph::Conv conv{torch::ones({1, 1, 1, 1}), torch::zeros({1})};
  const auto first = graph.add(conv, {image}, "first");
  const auto relu = graph.add(graph::Relu{}, {first}, "first");
  const auto up = graph.add(graph::Upsample{2}, {relu}, "");
  const auto second = graph.add(conv, {up}, "second");
  const auto sigmoid = graph.add(graph::Sigmoid{}, {second}, "");
  graph.set_outputs({{"fraction", sigmoid}});
  const Placement placement = place_grids(graph, parse_target(kShiftChip, "chip.json"));
  EXPECT_TRUE(placement.node.at(image));  // the first convolution reads codes
  EXPECT_FALSE(placement.has_grid(first));
  EXPECT_TRUE(placement.node.at(relu));
  EXPECT_FALSE(placement.node.at(up));  // moves the codes of the Relu
  EXPECT_EQ(placement.grid.at(up), placement.grid.at(relu));
  EXPECT_TRUE(placement.node.at(second));
  EXPECT_FALSE(placement.has_grid(sigmoid));
}

}  // namespace
}  // namespace dualdepth::quantize
