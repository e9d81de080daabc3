#include "dualdepth/config/contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "testing/build_paths.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Contract parse(const std::string& json) { return parse_contract(json, "card.json"); }

// The message that a faulty contract gets; empty when it gets none.
std::string complaint(const std::string& json) {
  try {
    parse(json);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

// A contract of format 2 with these outputs and further keys.
std::string with_outputs(const std::string& outputs, const std::string& more = "") {
  return R"({"format_version": 2, "outputs": {)" + outputs + "}" + more + "}";
}

// Cards that exports of format 1 wrote.
Contract kept(const std::string& name) {
  const auto file = testing::source_dir() / "tests/runtime/data" / name;
  return read_contract(file);
}

TEST(Contract, OfFewLinesHasTheUsualDefaults) {
  const Contract contract = parse(R"({
  "format_version": 2,
  "input": {"name": "pixel_values", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
            "size": [384, 640]},
  "outputs": {"predicted_depth": {"is": "depth"}}
})");
  EXPECT_EQ(contract.input.name, "pixel_values");
  EXPECT_EQ(contract.input.layout, TensorLayout::kNchw);
  EXPECT_EQ(contract.input.channels, ChannelOrder::kRgb);
  EXPECT_EQ(contract.input.type, InputType::kFloat32);
  EXPECT_THAT(contract.input.range, ElementsAre(0, 1));
  EXPECT_THAT(contract.input.mean, ElementsAre(0.485, 0.456, 0.406));
  EXPECT_THAT(contract.input.size, ElementsAre(384, 640));
  EXPECT_EQ(contract.input.crop, InputCrop::kNone);
  ASSERT_EQ(contract.outputs.size(), 1u);
  EXPECT_EQ(contract.outputs[0],
            (OutputContract{.name = "predicted_depth", .is = OutputKind::kDepth}));
  EXPECT_FALSE(contract.has_levels());
}

TEST(Contract, IsReadBackAsItWasWritten) {
  const Contract contract{
      .input = {.name = "in.0",
                .layout = TensorLayout::kNhwc,
                .channels = ChannelOrder::kBgr,
                .range = {-1, 1},
                .mean = {0.1, 0.2, 0.3},
                .size = {192, 640},
                .crop = InputCrop::kKittiBenchmark},
      .outputs = {{.name = "/head/1", .is = OutputKind::kLogits},
                  {.name = "12", .is = OutputKind::kFraction, .scale = 1.0 / 255, .shift = 0.5}},
      .codec = {.codec = CodecKind::kStep, .spacing = Spacing::kLog, .n_integer_levels = 48}};
  EXPECT_EQ(parse(to_json(contract)), contract);
  EXPECT_EQ(parse(to_readable_json(contract)), contract);
  const Contract of_any_size{.outputs = {{.name = "d", .is = OutputKind::kDepth}}};
  EXPECT_EQ(parse(to_json(of_any_size)), of_any_size);
}

TEST(Contract, NamesUnknownKeysWithTheirLineAndTheNearestKey) {
  EXPECT_EQ(complaint("{\"format_version\": 2,\n \"input\": {\"maen\": [0, 0, 0]},\n"
                      " \"outputs\": {\"d\": {\"is\": \"depth\", \"scael\": 2}}}"),
            "card.json:2: input.maen: unknown key; did you mean mean?\n"
            "card.json:3: outputs.d.scael: unknown key; did you mean scale?");
}

TEST(Contract, RefusesValuesThatAreNone) {
  EXPECT_THAT(complaint(with_outputs(R"("d": {"is": "dept"})")),
              AllOf(HasSubstr("outputs.d.is: expected level, fraction"), HasSubstr("\"dept\"")));
  EXPECT_THAT(complaint(with_outputs(R"("d": {"scale": 2})")),
              HasSubstr("outputs.d.is: expected level, fraction"));
  const std::string depth = R"("d": {"is": "depth"})";
  EXPECT_THAT(complaint(with_outputs(depth, R"(, "input": {"std": [1, 0, 1]})")),
              HasSubstr("input.std: expected 1e-06 to 1000000, got 0"));
  EXPECT_THAT(complaint(with_outputs(depth, R"(, "input": {"size": [0, 64]})")),
              HasSubstr("input.size: expected 1 to 16384 px, got 0"));
  EXPECT_THAT(complaint(with_outputs(depth, R"(, "input": {"layout": "CHW"})")),
              HasSubstr("input.layout: expected NCHW or NHWC"));
  EXPECT_THAT(complaint(with_outputs(depth, R"(, "input": {"range": [1, 0]})")),
              HasSubstr("input.range"));
  EXPECT_THAT(complaint(with_outputs(depth, R"(, "input": {"type": "uint8", "range": [0, 255]})")),
              HasSubstr("input.type"));
  EXPECT_THAT(complaint(with_outputs(depth, R"(, "codec": {"min_depth": 90})")),
              HasSubstr("codec.min_depth: expected above 0 and below max_depth (80 m), got 90"));
  EXPECT_EQ(complaint(with_outputs(depth)), "");
}

TEST(Contract, RefusesOutputsThatDoNotMakeDepth) {
  EXPECT_THAT(complaint(R"({"format_version": 2})"),
              HasSubstr("outputs: expected the outputs by name"));
  EXPECT_THAT(complaint(with_outputs("")), HasSubstr("outputs: expected the outputs by name"));
  EXPECT_THAT(complaint(with_outputs(R"("f": {"is": "fraction"})")),
              HasSubstr("outputs: expected one that holds level, logits, depth"));
  EXPECT_THAT(complaint(with_outputs(R"("a": {"is": "depth"}, "b": {"is": "depth"})")),
              HasSubstr("outputs.b.is: expected one output of each kind, got a second depth"));
  EXPECT_THAT(complaint(with_outputs(R"("l": {"is": "level", "scale": 2})")),
              HasSubstr("outputs.l.scale"));
}

TEST(Contract, OfAPositionOrCoordinatesHasThatKindOfHeadAndALevelAxis) {
  const auto read = [](const std::string& outputs, const std::string& more = "") {
    return parse_contract(with_outputs(outputs, more), "card.json");
  };
  EXPECT_EQ(read(R"("p": {"is": "position", "scale": 0.0625})").head_kind(), HeadKind::kCumulative);
  const Contract curve =
      read(R"("c": {"is": "coordinates"})", R"(, "codec": {"hilbert_order": 5})");
  EXPECT_EQ(curve.head_kind(), HeadKind::kHilbert);
  EXPECT_EQ(curve.codec.hilbert_order, 5);
  EXPECT_EQ(parse_contract(to_json(curve), "copy"), curve);
  EXPECT_EQ(read(R"("d": {"is": "depth"})").head_kind(), HeadKind::kSigmoid);
  for (const char* kind : {"position", "coordinates"}) {
    const auto output = std::string(R"("x": {"is": ")") + kind + "\"}";
    EXPECT_THAT(complaint(with_outputs(output, R"(, "codec": {"codec": "rounded"})")),
                HasSubstr("codec.codec: expected reflected or step"));
  }
}

// A program from before the key refuses a contract that has it.
TEST(Contract, WritesTheOrderOfTheCurveWithCoordinatesOnly) {
  const Contract depth{.outputs = {{.name = "d", .is = OutputKind::kDepth}}};
  EXPECT_EQ(to_json(depth).find("hilbert_order"), std::string::npos);
  const Contract curve{.outputs = {{.name = "c", .is = OutputKind::kCoordinates}}};
  EXPECT_THAT(to_json(curve), HasSubstr("\"hilbert_order\":3"));
}

// Other outputs are decoded already.
TEST(ContractOf, LogitsSayHowTheyAreDecoded) {
  ModelOptions model;
  model.params.codec.decoding = LevelDecoding::kExpectation;
  const auto logits = contract_of(model, DataOptions(), ModelOutputs::kLogits);
  EXPECT_THAT(to_json(logits), HasSubstr("\"decoding\":\"expectation\""));
  EXPECT_EQ(parse_contract(to_json(logits), "copy"), logits);
  EXPECT_TRUE(logits.decodes_expectation());
  const auto depth = contract_of(model, DataOptions(), ModelOutputs::kDepth);
  EXPECT_EQ(to_json(depth).find("decoding"), std::string::npos);
  EXPECT_FALSE(depth.decodes_expectation());
  EXPECT_THAT([&] { contract_of(model, DataOptions(), ModelOutputs::kLevels); },
              ::testing::ThrowsMessage<Error>(
                  HasSubstr("outputs: expected depth or logits, of a network with a categorical "
                            "head and decoding expectation, got levels")));
  model.params.codec.decoding = LevelDecoding::kArgmax;
  EXPECT_EQ(to_json(contract_of(model, DataOptions(), ModelOutputs::kLogits)).find("decoding"),
            std::string::npos);
}

TEST(ContractOf, EachHeadHasItsOwnOutputs) {
  ModelOptions model;
  const auto kind_of = [&](HeadKind head) {
    model.head.kind = head;
    const auto contract =
        contract_of(model, DataOptions(), outputs_of(head, LevelDecoding::kArgmax).front());
    EXPECT_EQ(contract.problems().size(), 0u);
    return contract.outputs.front().is;
  };
  EXPECT_EQ(kind_of(HeadKind::kCategorical), OutputKind::kLevel);
  EXPECT_EQ(kind_of(HeadKind::kCumulative), OutputKind::kPosition);
  EXPECT_EQ(kind_of(HeadKind::kSigmoid), OutputKind::kDepth);
  EXPECT_EQ(kind_of(HeadKind::kHilbert), OutputKind::kCoordinates);
  EXPECT_THAT([&] { contract_of(model, DataOptions(), ModelOutputs::kLevels); },
              ::testing::ThrowsMessage<Error>(
                  HasSubstr("outputs: expected coordinates, of a network with a hilbert head, got "
                            "levels")));
}

TEST(Contract, IsRefusedInOneLineWhenItIsNone) {
  EXPECT_THAT(complaint("{\"format_version\": 2,"),
              HasSubstr("card.json: expected JSON, got parse"));
  EXPECT_THAT(complaint("[1]"), HasSubstr("card.json: expected a JSON object, got array"));
  EXPECT_THAT(complaint("{}"), HasSubstr("format_version: expected 2, got nothing"));
  EXPECT_THAT(complaint(R"({"format_version": 3})"),
              HasSubstr("format_version: expected 1 to 2, got 3"));
  EXPECT_THAT(complaint(R"({"format_version": "2"})"), HasSubstr("format_version"));
  EXPECT_NE(
      complaint(with_outputs(R"("d": )" + std::string(100000, '[') + std::string(100000, ']'))),
      "");
}

TEST(ContractOfFormat1, IsTheSameNetwork) {
  const Contract levels = kept("card_1_crop_levels.json");
  EXPECT_EQ(levels.input, (InputContract{.name = "image", .size = {32, 64}}));
  EXPECT_THAT(levels.outputs,
              ElementsAre(OutputContract{.name = "level", .is = OutputKind::kLevel},
                          OutputContract{.name = "fraction", .is = OutputKind::kFraction}));
  EXPECT_EQ(levels.codec, (CodecOptions{.codec = CodecKind::kStep,
                                        .spacing = Spacing::kLog,
                                        .n_integer_levels = 48,
                                        .min_depth = 0.5}));
  const Contract logits = kept("card_1_dual_logits.json");
  EXPECT_EQ(logits.outputs[0], (OutputContract{.name = "logits", .is = OutputKind::kLogits}));
  EXPECT_EQ(logits.head_kind(), HeadKind::kCategorical);
  const Contract continuous = kept("card_1_cont_levels.json");
  EXPECT_EQ(continuous.codec.codec, CodecKind::kContinuous);
  EXPECT_EQ(continuous.codec.max_depth, 30);
}

TEST(ContractOfFormat1, OfOneHeadHasADepthLogitOrDepth) {
  EXPECT_THAT(kept("card_1_one_logits.json").outputs,
              ElementsAre(OutputContract{.name = "logits", .is = OutputKind::kDepthLogit}));
  EXPECT_THAT(kept("card_1_one_depth.json").outputs,
              ElementsAre(OutputContract{.name = "depth", .is = OutputKind::kDepth}));
  EXPECT_FALSE(kept("card_1_one_logits.json").has_levels());
  EXPECT_EQ(kept("card_1_one_logits.json").codec.max_depth, 15);
}

TEST(ContractOfFormat1, NamesWhatItLacks) {
  EXPECT_THAT(complaint(R"({"format_version": 1, "outputs": "levels", "data": {}})"),
              HasSubstr("card.json: expected model in a card of format 1, got none"));
  EXPECT_THAT(complaint(R"({"format_version": 1, "outputs": "maps", "model": {"params": {}},
                            "data": {"image_shape": [32, 64], "kb_crop": false}})"),
              HasSubstr("outputs: expected levels, logits or depth, got \"maps\""));
}

}  // namespace
}  // namespace dualdepth
