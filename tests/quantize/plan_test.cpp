#include "dualdepth/quantize/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <map>
#include <set>
#include <string>

#include "dualdepth/base/error.h"
#include "dualdepth/export/open_graph.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/onnx/onnx_writer.h"
#include "dualdepth/quantize/fingerprint.h"
#include "dualdepth/quantize/plan_text.h"
#include "planned_network.h"
#include "testing/temp_folder.h"

namespace dualdepth::quantize {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// image -> Affine -> conv -> Relu -> MaxPool -> Upsample
graph::Graph small_network(int64_t size, float weight) {
  graph::Graph graph;
  auto id = graph.add_input("image", {1, 1, size, size});
  id = graph.add(graph::Affine{torch::tensor({2.F}), torch::tensor({-1.F})}, {id}, "normalize");
  id = graph.add(
      graph::Conv{torch::tensor({weight, -1.F}).view({2, 1, 1, 1}), torch::tensor({0.25F, 0.F})},
      {id}, "conv");
  id = graph.add(graph::Relu{}, {id}, "conv");
  id = graph.add(graph::MaxPool{{2, 2}, {2, 2}, {0, 0}}, {id}, "pool");
  id = graph.add(graph::Upsample{2}, {id}, "up");
  graph.set_outputs({{"depth", id}});
  return graph;
}

TEST(NetworkFingerprint, DependsOnAllButTheSizeOfPictures) {
  const auto fingerprint = network_fingerprint(small_network(4, 0.5F));
  EXPECT_THAT(fingerprint, ::testing::MatchesRegex("[0-9a-f]{40}"));
  EXPECT_EQ(network_fingerprint(small_network(8, 0.5F)), fingerprint);
  EXPECT_NE(network_fingerprint(small_network(4, 0.5000001F)), fingerprint);
  const auto with = [](const graph::Operation& last) {
    graph::Graph graph = small_network(4, 0.5F);
    const auto id = graph.add(last, {graph.outputs().front().node}, "last");
    graph.set_outputs({{"depth", id}});
    return network_fingerprint(graph);
  };
  const std::set<std::string> all{fingerprint,
                                  with(graph::Relu{}),
                                  with(graph::Sigmoid{}),
                                  with(graph::Unary{graph::UnaryFunction::kExp}),
                                  with(graph::Unary{graph::UnaryFunction::kFloor}),
                                  with(graph::MaxPool{{2, 2}, {1, 1}, {0, 0}}),
                                  with(graph::MaxPool{{2, 2}, {1, 1}, {1, 1}})};
  EXPECT_EQ(all.size(), 7U);
}

Plan small_plan() {
  Plan plan;
  plan.network = "172c1f194374c37bb85a86b143f2e09801953b28";
  plan.target = target_of(OnnxProfile::kPortable);
  plan.head = {.centring = CentringOrder::kAfterEqualization,
               .filter = {0.1F, -1e-7F, 3.4028235e38F},
               .offset = 1.F / 3,
               .shift = 1.0 / 3};
  plan.float_convs = {"/a b/Conv"};
  plan.equalization = {{"/conv/Conv", {0.7F, 1.1F}}};
  plan.values = {{"/conv/Relu", {.scale = 0x1p-7F, .zero_point = 3}},
                 {"image", {.scale = 1.F / 255}}};
  plan.filters = {{"/conv/Conv", {.scales = {1.F / 127, 2e-9F}}}};
  return plan;
}

TEST(ParsePlan, ReadsWhatWasWrittenBitForBit) {
  const testing::TempFolder folder;
  write_plan(folder / "plan.json", small_plan());
  EXPECT_EQ(read_plan(folder / "plan.json"), small_plan());
  EXPECT_THAT(
      to_json(small_plan()),
      HasSubstr(R"("/conv/Relu": {"scale":0.0078125,"zero_point":3,"bits":8,"signed":false})"));
  EXPECT_THAT(to_json(small_plan()), HasSubstr(R"("equalization": {"/conv/Conv":[0.7,1.1]})"));
}

// The text with one piece of it changed.
std::string with(std::string text, const std::string& old, const std::string& changed) {
  const size_t at = text.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  return text.replace(at, old.size(), changed);
}

TEST(ParsePlan, NamesTheEntryThatIsWrong) {
  struct Case {
    const char *old, *changed, *named;
  };
  const std::string text = to_json(small_plan());
  for (const auto& [old, changed, named] :
       {Case{"\"scale\":0.0078125", "\"scale\":0",
             "values./conv/Relu.scale: expected a number above 0"},
        Case{"\"scale\":0.0078125", "\"scale\":-1", "a number above 0, got -1"},
        Case{"\"scale\":0.0078125", "\"scale\":\"big\"",
             "values./conv/Relu.scale: expected a number"},
        Case{"\"scale\":0.0078125,", "", "values./conv/Relu.scale: expected number, got nothing"},
        Case{"\"zero_point\":3", "\"zero_point\":256",
             "values./conv/Relu.zero_point: expected 0 to 255"},
        Case{"\"zero_point\":3,\"bits\":8", "\"zero_point\":3,\"bits\":7",
             "values./conv/Relu.bits"},
        Case{"\"signed\":false", "\"signed\":true", "values./conv/Relu.signed: expected false"},
        Case{"\"zero_point\":3", "\"zero_piont\":3", "zero_piont: unknown key"},
        Case{"\"onnx_profile\": \"portable\"", "\"onnx_profile\": \"best\"", "target.onnx_profile"},
        Case{"after-equalization", "later", "head.centring"},
        Case{"after-equalization", "none", "head.filter: expected none without centring"},
        Case{"2e-09", "0", "filters./conv/Conv.scales: expected numbers above 0"},
        Case{"\"granularity\": \"per-channel\"", "\"granularity\": \"layer\"", "granularity"},
        Case{"\"format_version\": 1", "\"format_version\": 7", "format_version: expected 1, got 7"},
        Case{"\"float\": [\"/a b/Conv\"]", "\"float\": [\"/conv/Conv\"]",
             "filters./conv/Conv: expected no scales of a convolution that stays float"}}) {
    const auto changed_text = with(text, old, changed);
    EXPECT_THAT([&] { parse_plan(changed_text, "plan.json"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("plan.json"), HasSubstr(named))))
        << changed;
  }
  EXPECT_THAT([&] { parse_plan(text.substr(0, text.size() / 2), "plan.json"); },
              ThrowsMessage<Error>(HasSubstr("plan.json: expected JSON")));
  EXPECT_THAT([&] { read_plan("absent.json"); }, ThrowsMessage<Error>(HasSubstr("absent.json")));
}

TEST(ParsePlan, AsksForPowersOfTwoWhereTheTargetHasThemOnly) {
  Plan plan = small_plan();
  plan.target.values.has_power_of_two_scale = true;
  plan.values.at("image").scale = 0x1p-8F;
  EXPECT_EQ(parse_plan(to_json(plan), "plan.json"), plan);
  plan.values.at("image").scale = 0.003F;
  EXPECT_THAT([&] { parse_plan(to_json(plan), "plan.json"); },
              ThrowsMessage<Error>(HasSubstr("values.image.scale: expected a power of two")));
}

// The range of the Relu moves from (0 - 3) / 128 .. 252 / 128 to -5 * 2 / 128 .. 250 * 2 / 128; of
// the filters the second scale doubles.
TEST(PlanDifferences, AreCountedInCodesOfTheFirstPlan) {
  EXPECT_EQ(plan_differences(small_plan(), small_plan()), "");
  Plan other = small_plan();
  other.values.at("/conv/Relu") = {.scale = 0x1p-6F, .zero_point = 5};
  other.values.erase("image");
  other.filters.at("/conv/Conv").scales[1] = 4e-9F;
  other.head.shift = 1;
  const auto text = plan_differences(small_plan(), other);
  EXPECT_THAT(text, HasSubstr("/conv/Relu: low -7.00 codes, high +248.00 codes"));
  EXPECT_THAT(text, HasSubstr("image: only in the first plan"));
  EXPECT_THAT(text, HasSubstr("/conv/Conv: up to +127.00 codes (filter 1)"));
  EXPECT_THAT(text, HasSubstr("shift 0.333333, then centred after-equalization, shift 1"));
}

TEST(PlanText, ShowsScalesAndTheRangesOfTheirCodes) {
  const auto text = plan_text(small_plan());
  EXPECT_THAT(text, HasSubstr("172c1f194374c37bb85a86b143f2e09801953b28"));
  // 2^-7, 3, 8 bits, -3 / 128, 252 / 128
  EXPECT_THAT(text,
              ::testing::ContainsRegex("/conv/Relu +0\\.0078125 +3 +8 +-0\\.0234375 +1\\.96875"));
}

class AppliedPlanTest : public PlannedNetwork {
 protected:
  static std::string onnx_of(const graph::Graph& graph) {
    return to_onnx(graph, {.profile = OnnxProfile::kPortable})->SerializeAsString();
  }

  void expect_refused(const Plan& plan, const std::string& named) const {
    EXPECT_THAT([&] { apply_plan(plan, graph_); }, ThrowsMessage<Error>(HasSubstr(named)));
  }
};

TEST_F(AppliedPlanTest, ASavedPlanGivesTheSameFileByteForByte) {
  const auto first = quantize_graph(graph_, contract_, pictures_, options_);
  const Plan saved = parse_plan(to_json(first.plan), "plan.json");
  EXPECT_EQ(saved, first.plan);
  const auto second = quantize_graph(graph_, saved, contract_, pictures_, options_);
  EXPECT_EQ(onnx_of(second.graph), onnx_of(first.graph));
}

TEST_F(AppliedPlanTest, AnEditedScaleTakesEffect) {
  Plan plan = chosen_plan();
  plan.values.at("/c/Relu").scale *= 2;
  for (float& scale : plan.filters.at("/c/Conv").scales) scale *= 3;
  const AppliedPlan applied = apply_plan(plan, graph_);
  const auto names = graph::node_names(applied.reference);
  const auto id_of = [&](const std::string& name) {
    return applied.renamed.at(static_cast<size_t>(std::ranges::find(names, name) - names.begin()));
  };
  const auto behind = applied.graph.node(id_of("/c/Relu") + 1).operation;
  EXPECT_EQ(std::get<graph::FakeQuantize>(behind), plan.values.at("/c/Relu"));
  const auto& conv = std::get<graph::Conv>(applied.graph.node(id_of("/c/Conv")).operation);
  EXPECT_TRUE(torch::equal(conv.weight_scale, torch::tensor(plan.filters.at("/c/Conv").scales)));
  const auto codes = conv.weight / conv.weight_scale.view({-1, 1, 1, 1});
  EXPECT_TRUE(torch::allclose(codes, codes.round(), 0, 1e-4));
  EXPECT_LE(codes.abs().max().item<float>(), 43);  // 127 / 3
}

TEST_F(AppliedPlanTest, AnotherNetworkIsRefusedByBothFingerprints) {
  const Plan plan = chosen_plan();
  graph::Graph other = graph_;
  const auto conv = static_cast<graph::NodeId>(1);
  auto changed = std::get<graph::Conv>(graph_.node(conv).operation);
  changed.bias = changed.bias + 1e-3;
  other.replace(conv, changed);
  EXPECT_THAT([&] { quantize_graph(other, plan, contract_, pictures_, options_); },
              ThrowsMessage<Error>(AllOf(HasSubstr(network_fingerprint(graph_)),
                                         HasSubstr(network_fingerprint(other)))));
}

TEST_F(AppliedPlanTest, EntriesThatAreUnknownOrMissingAreNamed) {
  const Plan plan = chosen_plan();
  Plan edited = plan;
  edited.values["/nowhere/Relu"] = {};
  expect_refused(edited, "/nowhere/Relu");
  edited = plan;
  edited.values.erase("/b/Relu");
  expect_refused(edited, "none for /b/Relu");
  edited = plan;
  edited.filters.erase("/b/Conv");
  expect_refused(edited, "none for /b/Conv");
  edited = plan;
  edited.filters.at("/b/Conv").scales.pop_back();
  expect_refused(edited, "filters./b/Conv.scales: expected 8 scales, got 7");
  edited = plan;
  edited.float_convs = {"/nowhere/Conv"};
  expect_refused(edited, "/nowhere/Conv");
  edited = plan;
  edited.equalization = {{"/a/Conv", {1, 1}}};
  expect_refused(edited, "equalization.");
  edited = plan;
  edited.head = {.centring = CentringOrder::kBeforeEqualization, .filter = {1, 2}};
  expect_refused(edited, "head.filter: expected 72 numbers");
}

TEST_F(AppliedPlanTest, ValuesThatShareAScaleMustAgree) {
  Plan plan = chosen_plan();
  ASSERT_EQ(plan.values.at("/a/Relu"), plan.values.at("/joined/Concat"));
  plan.values.at("/b/Relu").scale *= 2;
  expect_refused(plan, "whose scale it shares");
  plan.values.at("/a/Relu") = plan.values.at("/joined/Concat") = plan.values.at("/b/Relu");
  EXPECT_NO_THROW(apply_plan(plan, graph_));
}

// int32 holds a bias of up to 2^31 codes of input scale * scale.
TEST_F(AppliedPlanTest, AScaleThatIsTooSmallForTheBiasIsRefused) {
  Plan plan = chosen_plan();
  plan.filters.at("/b/Conv").scales[3] = 1e-12F;
  expect_refused(plan, "for filter 3");
}

// NumPy: float32(65535 * 12345 - 40001 * 32767 + 7).
TEST(WideValues, AreSummedExactly) {
  graph::Graph graph;
  const auto image = graph.add_input("image", {1, 1, 1, 2});
  const auto value = graph.add(graph::FakeQuantize{.bits = 16}, {image}, "value");
  graph::Conv conv{torch::tensor({12345.F, -32767.F}).view({1, 1, 1, 2}), torch::tensor({7.F})};
  conv.weight_scale = torch::ones({1});
  const auto sum = graph.add(conv, {value}, "conv");
  graph.set_outputs({{"sum", sum}});
  const auto out = graph::run_graph(graph, torch::tensor({65535.F, 40001.F}).view({1, 1, 1, 2}),
                                    std::vector{sum});
  EXPECT_EQ(out[0].item<float>(), -501683200.F);
}

// W8A16, in a file of opset 21 that is read back as it was.
TEST_F(AppliedPlanTest, SixteenBitValuesAreWrittenAndReadBack) {
  options_.target = target_of(OnnxProfile::kPortable);
  options_.target->values.bits = {16};
  const auto quantization = quantize_graph(graph_, contract_, pictures_, options_);
  for (const auto& [name, value] : quantization.plan.values) EXPECT_EQ(value.bits, 16) << name;
  for (const auto& [name, filter] : quantization.plan.filters) EXPECT_EQ(filter.bits, 8) << name;
  const auto expected = depth_of(quantization.graph, contract_)(pictures_.at(0));
  const testing::TempFolder folder;
  for (const int64_t opset : {13, 21}) {
    write_onnx(*to_onnx(quantization.graph, {.opset = opset}), folder / "wide.onnx");
    const auto read = open_graph(folder / "wide.onnx", 8, 16);
    ASSERT_EQ(read.nodes().size(), quantization.graph.nodes().size());
    const auto got = depth_of(read, contract_)(pictures_.at(0));
    EXPECT_TRUE(torch::equal(got.level, expected.level));
    EXPECT_TRUE(torch::allclose(got.fraction, expected.fraction, 0, 1e-6));
  }
  Plan plan = quantization.plan;
  plan.values.at("image").bits = 8;
  plan.values.at("image").zero_point = 0;
  expect_refused(plan, "values.image.bits: expected 16");
}

// image -> conv a -> Sigmoid -> conv b
TEST(WithScales, ValuesThatAreComputedOfWideConvolutionsAloneAreWide) {
  graph::Graph graph;
  const auto conv = [] {
    return graph::Conv{torch::tensor({0.5F}).view({1, 1, 1, 1}), torch::tensor({0.1F})};
  };
  const auto image = graph.add_input("image", {1, 1, 4, 4});
  const auto a = graph.add(conv(), {image}, "a");
  const auto sigmoid = graph.add(graph::Sigmoid{}, {a}, "a");
  graph.set_outputs({{"depth", graph.add(conv(), {sigmoid}, "b")}});
  Plan plan;
  plan.target = target_of(OnnxProfile::kPortable);
  plan.target.values.bits = plan.target.weights.bits = {8, 16};
  const Pictures pictures{2, [](size_t) { return torch::arange(16).view({1, 1, 4, 4}) / 16.F; }};
  const auto statistics = calibrate(graph, places_of(plan, graph).placement, pictures, 1);
  plan = with_scales(plan, graph, statistics, {.wide = {"/a/Conv"}});
  std::map<std::string, int64_t> bits;
  for (const auto& [name, value] : plan.values) bits[name] = value.bits;
  EXPECT_THAT(bits, ::testing::ElementsAre(
                        ::testing::Pair("/a/Conv", 16), ::testing::Pair("/a/Sigmoid", 16),
                        ::testing::Pair("/b/Conv", 8), ::testing::Pair("image", 8)));
  EXPECT_EQ(plan.filters.at("/a/Conv").bits, 16);
  EXPECT_EQ(plan.filters.at("/b/Conv").bits, 8);
}

TEST_F(AppliedPlanTest, ConvolutionsThatStayFloatHaveNoScales) {
  options_.center = options_.equalize = false;
  const PlanChoice choice = choose_plan(graph_, contract_, pictures_, options_);
  const Plan plan = with_scales(with_float(choice.plan, {"/b/Conv", "/c/Conv"}), graph_,
                                choice.statistics, choice.scales);
  EXPECT_FALSE(plan.filters.contains("/b/Conv"));
  EXPECT_EQ(plan.filters.size(), 3U);
  EXPECT_EQ(plan.values.at("image"), choice.plan.values.at("image"));
  const AppliedPlan applied = apply_plan(plan, graph_);
  EXPECT_NO_THROW(depth_of(applied.graph, contract_)(pictures_.at(0)));
  expect_refused(with_float(plan, {}), "none for");  // without scales
}

}  // namespace
}  // namespace dualdepth::quantize
