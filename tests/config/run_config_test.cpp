#include "dualdepth/config/run_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "testing/build_paths.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TempFolder;
using ::testing::ThrowsMessage;

namespace fs = std::filesystem;

RunConfig parse(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  return parse_run_config(yaml, "run.yaml", overrides);
}

// The message that a faulty configuration gets; empty when it gets none.
std::string complaint(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  try {
    parse(yaml, overrides);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(RunConfig, EmptyFileGivesDefaults) {
  EXPECT_EQ(to_yaml(parse("")), to_yaml(RunConfig()));
  EXPECT_EQ(to_yaml(parse("# nothing\nmodel:\n")), to_yaml(RunConfig()));
}

TEST(RunConfig, ReadsEveryKindOfValue) {
  const RunConfig config = parse(R"(
output_dir: runs/a b
seed: 7
model:
  std: [0.2, .3, 4e-1]
  params: {use_dual_head: false, spacing: log, codec: step, max_depth: 1e2}
loss: {params: {integer_weight: +2}}
schedule:
  type: step
  milestones: [10, 15]
)");
  EXPECT_EQ(config.output_dir, "runs/a b");
  EXPECT_EQ(config.seed, 7);
  EXPECT_THAT(config.model.std, ElementsAre(0.2, 0.3, 0.4));
  EXPECT_FALSE(config.model.params.use_dual_head);
  EXPECT_EQ(config.model.params.codec.spacing, Spacing::kLog);
  EXPECT_EQ(config.model.params.codec.max_depth, 100.0);
  EXPECT_EQ(config.loss.params.integer_weight, 2.0);
  EXPECT_THAT(config.schedule.milestones, ElementsAre(10, 15));
}

TEST(RunConfig, ResolvesTheKindOfTheHead) {
  const auto kind = [](const std::string& yaml) { return parse(yaml).model.head_kind(); };
  EXPECT_EQ(kind(""), HeadKind::kCategorical);
  EXPECT_EQ(kind("model: {head: {kind: cumulative, slope: 0.25, quantile: 0.45}}"),
            HeadKind::kCumulative);
  EXPECT_EQ(kind("model: {head: {kind: hilbert}, params: {hilbert_order: 4}}"), HeadKind::kHilbert);
  EXPECT_EQ(kind("model: {head: {kind: sigmoid}}"), HeadKind::kSigmoid);
  EXPECT_EQ(kind("model: {params: {use_dual_head: false}}"), HeadKind::kSigmoid);
  EXPECT_EQ(kind("model: {head: {kind: sigmoid}, params: {use_dual_head: false}}"),
            HeadKind::kSigmoid);
}

TEST(RunConfig, OptionsOfAnotherKindOfHeadAreRefused) {
  EXPECT_EQ(complaint("model:\n  params: {use_dual_head: false}\n  head:\n    kind: hilbert\n"),
            "run.yaml:4: model.head.kind: expected sigmoid, or left out, with "
            "model.params.use_dual_head: false, got hilbert");
  EXPECT_EQ(complaint("model:\n  head: {kind: cumulative}\n  params:\n    codec: rounded\n"),
            "run.yaml:4: model.params.codec: expected reflected or step with "
            "model.head.kind: cumulative, got rounded");
  EXPECT_EQ(complaint("model:\n  head: {kind: cumulative,\n    level_smoothing: 2}\n"),
            "run.yaml:3: model.head.level_smoothing: expected 0 with model.head.kind: cumulative, "
            "got 2");
  EXPECT_EQ(complaint("model:\n  head:\n    slope: 2\n"),
            "run.yaml:3: model.head.slope: expected 1 with model.head.kind: categorical, got 2");
  EXPECT_EQ(complaint("model:\n  head: {kind: hilbert,\n    quantile: 0.4}\n"),
            "run.yaml:3: model.head.quantile: expected 0.5 with model.head.kind: hilbert, got 0.4");
  EXPECT_THAT(complaint("model:\n  head:\n    kind: ordinal\n"),
              HasSubstr("run.yaml:3: model.head.kind"));
  EXPECT_THAT(complaint("model:\n  params:\n    hilbert_order: 7\n"),
              HasSubstr("run.yaml:3: model.params.hilbert_order: expected 1 to 6"));
}

TEST(RunConfig, OriginalKeysHaveTheOriginalWeights) {
  const RunConfig config;
  EXPECT_EQ(config.loss.params.integer_weight, 1.0);
  EXPECT_EQ(config.loss.params.fractional_weight, 10.0);
  EXPECT_EQ(config.loss.params.consistency_weight, 0.5);
}

TEST(RunConfig, UnknownKeyNamesFileLineAndNearestKey) {
  EXPECT_EQ(complaint("seed: 1\nmodel:\n  params:\n    max_dept: 30\n"),
            "run.yaml:4: model.params.max_dept: unknown key; did you mean max_depth?");
}

TEST(RunConfig, KeyOfAnotherGroupIsNamedInFull) {
  EXPECT_EQ(complaint("max_depth: 30\n"),
            "run.yaml:1: max_depth: unknown key; did you mean model.params.max_depth?");
}

TEST(RunConfig, KeyLikeNoOtherGetsTheListOfItsGroup) {
  EXPECT_EQ(complaint("evaluation: {zzz: 1}\n"),
            "run.yaml:1: evaluation.zzz: unknown key; known: protocol, scaling, flip, range, "
            "classes");
}

TEST(RunConfig, UnknownGroupIsReportedOnceNotForEachOfItsKeys) {
  EXPECT_EQ(complaint("optimiser:\n  lr: 1\n  eps: 2\n"),
            "run.yaml:1: optimiser: unknown key; did you mean optimizer?");
}

TEST(RunConfig, AllProblemsOfAFileAreReportedTogether) {
  EXPECT_EQ(complaint("seed: -1\n"
                      "device: gpu\n"
                      "optimizer: {lr: fast, wieght_decay: 0}\n"
                      "data:\n"
                      "  image_shape: [192]\n"
                      "seed: 3\n",
                      {"trainer.max_epochs=0"}),
            "run.yaml:1: seed: expected at least 0, got -1\n"
            "run.yaml:2: device: expected auto, cpu or cuda, got \"gpu\"\n"
            "run.yaml:3: optimizer.lr: expected a number, got \"fast\"\n"
            "run.yaml:3: optimizer.wieght_decay: unknown key; did you mean weight_decay?\n"
            "run.yaml:5: data.image_shape: expected a list of 2 whole numbers, got a list of 1\n"
            "run.yaml:6: seed: expected each key once, got a second one\n"
            "override trainer.max_epochs: expected at least 1, got 0");
}

TEST(RunConfig, RelationsAreReportedBesideUnknownKeys) {
  EXPECT_THAT(complaint("model: {params: {min_depth: 90}}\nsede: 1\n"),
              AllOf(HasSubstr("run.yaml:2: sede: unknown key"),
                    HasSubstr("run.yaml:1: model.params.min_depth: expected above 0 and below "
                              "max_depth (80 m), got 90 m")));
}

struct WrongValue {
  const char* name;
  const char* yaml;
  const char* message;
};

void PrintTo(const WrongValue& value, std::ostream* out) { *out << value.name; }

class WrongConfigValue : public ::testing::TestWithParam<WrongValue> {};

TEST_P(WrongConfigValue, IsRefused) { EXPECT_EQ(complaint(GetParam().yaml), GetParam().message); }

INSTANTIATE_TEST_SUITE_P(
    All, WrongConfigValue,
    ::testing::Values(
        WrongValue{"TextForNumber", "model: {params: {max_depth: far}}",
                   "run.yaml:1: model.params.max_depth: expected a number, got \"far\""},
        WrongValue{"QuotedNumber", "seed: \"3\"",
                   "run.yaml:1: seed: expected a whole number, got \"3\""},
        WrongValue{"FractionForWholeNumber", "seed: 3.5",
                   "run.yaml:1: seed: expected a whole number, got \"3.5\""},
        WrongValue{"WholeNumberTooLong", "seed: 99999999999999999999",
                   "run.yaml:1: seed: expected a whole number, got \"99999999999999999999\""},
        WrongValue{"NumberWithUnit", "model: {params: {max_depth: 80m}}",
                   "run.yaml:1: model.params.max_depth: expected a number, got \"80m\""},
        WrongValue{"Infinity", "optimizer: {lr: inf}",
                   "run.yaml:1: optimizer.lr: expected a number, got \"inf\""},
        WrongValue{"NotANumber", "optimizer: {lr: .nan}",
                   "run.yaml:1: optimizer.lr: expected a number, got \".nan\""},
        WrongValue{"YesForTrue", "evaluation: {flip: yes}",
                   "run.yaml:1: evaluation.flip: expected true or false, got \"yes\""},
        WrongValue{"NothingForNumber",
                   "seed:", "run.yaml:1: seed: expected a whole number, got nothing"},
        WrongValue{"NothingForText", "output_dir:",
                   "run.yaml:1: output_dir: expected text (\"\" for none), got nothing"},
        WrongValue{"ListForText", "output_dir: [a]",
                   "run.yaml:1: output_dir: expected text (\"\" for none), got a list"},
        WrongValue{"NumberForList", "data: {image_shape: 192}",
                   "run.yaml:1: data.image_shape: expected a list of 2 whole numbers, got \"192\""},
        WrongValue{"KeysForNumber", "seed: {a: 1}",
                   "run.yaml:1: seed: expected a whole number, got keys"},
        WrongValue{"NumberForGroup", "model: 3",
                   "run.yaml:1: model: expected key: value lines, got one value"},
        WrongValue{"ListForFile", "[1, 2]",
                   "run.yaml:1: the file: expected key: value lines, got a list"},
        WrongValue{"BelowRange", "model: {params: {n_integer_levels: 1}}",
                   "run.yaml:1: model.params.n_integer_levels: expected 2 to 256, got 1"},
        WrongValue{"AboveRangeWithUnit", "model: {params: {max_depth: 20000}}",
                   "run.yaml:1: model.params.max_depth: expected 0.01 to 10000 m, got 20000"},
        WrongValue{"ElementOutOfRange", "model: {head: {scales: [0, 4]}}",
                   "run.yaml:1: model.head.scales: expected 0 to 3, got 4"},
        WrongValue{"UnknownChoice", "model: {params: {codec: round}}",
                   "run.yaml:1: model.params.codec: expected rounded, continuous, reflected or "
                   "step, got \"round\""},
        WrongValue{"ShapeNotOf32", "data: {image_shape: [190, 640]}",
                   "run.yaml:1: data.image_shape: expected multiples of 32 px, got [190, 640]"},
        WrongValue{"SpacingOfRounded", "model: {params: {codec: rounded, spacing: log}}",
                   "run.yaml:1: model.params.spacing: expected linear with codec: rounded, got "
                   "log; take codec: reflected or step for other spacings"},
        WrongValue{"WeightWithoutHead", "loss: {scale_weights: [1, 0, 0.5, 0]}",
                   "run.yaml:1: loss.scale_weights: expected 0 for scale 2, which is not in "
                   "model.head.scales, got [1, 0, 0.5, 0]"},
        WrongValue{"ScaleNamedTwice", "model: {head: {scales: [0, 1, 0]}}",
                   "run.yaml:1: model.head.scales: expected at least one scale, and each once, "
                   "got [0, 1, 0]"},
        WrongValue{"StepsWithoutMilestones", "schedule: {type: step}",
                   "run.yaml: schedule.milestones: expected at least one epoch for "
                   "schedule.type: step, got []"},
        WrongValue{"NoScaleWeighsAnything", "loss: {scale_weights: [0, 0, 0, 0]}",
                   "run.yaml:1: loss.scale_weights: expected a weight above 0, got [0, 0, 0, 0]"},
        WrongValue{"MilestonesThatFall", "schedule: {type: step, milestones: [9, 4]}",
                   "run.yaml:1: schedule.milestones: expected epochs in rising order, got [9, 4]"},
        WrongValue{"FakeQuantizationOfNothing", "quantize: {fake: true}",
                   "run.yaml: quantize.checkpoint: expected a trained checkpoint for "
                   "quantize.fake: true, got nothing; train without it first"},
        WrongValue{"TwoDocuments", "seed: 1\n---\nseed: 2\n",
                   "run.yaml: expected one YAML document, got 2"}),
    [](const auto& info) { return info.param.name; });

TEST(RunConfig, SyntaxErrorIsOneLineWithItsPlace) {
  const std::string message = complaint("seed: 1\nmodel: {params: {\n");
  EXPECT_THAT(message, HasSubstr("run.yaml:3: not valid YAML: "));
  EXPECT_THAT(message, Not(HasSubstr("\n")));
  EXPECT_THAT(complaint("seed: 1\n\tmodel: 2\n"), HasSubstr("run.yaml:2: not valid YAML"));
}

TEST(RunConfig, DeepNestingIsRefusedNotFollowed) {
  EXPECT_THAT(complaint(std::string(200000, '[')), HasSubstr("not valid YAML"));
}

TEST(Overrides, WinOverTheFileAndTheLastOneWins) {
  const RunConfig config =
      parse("seed: 1\ntrainer: {max_steps: 5}\n",
            {"seed=2", "seed=3", "data.image_shape=[64, 96]", "evaluation.flip=true",
             "model.pretrained=", "output_dir=a: [b=c"});
  EXPECT_EQ(config.seed, 3);
  EXPECT_EQ(config.trainer.max_steps, 5);
  EXPECT_THAT(config.data.image_shape, ElementsAre(64, 96));
  EXPECT_TRUE(config.evaluation.flip);
  EXPECT_EQ(config.model.pretrained, "");
  EXPECT_EQ(config.output_dir, "a: [b=c");
}

TEST(Overrides, MistakesNameTheOverride) {
  EXPECT_EQ(complaint("", {"trainer.max_step=5"}),
            "override trainer.max_step: unknown key; did you mean max_steps?");
  EXPECT_EQ(complaint("", {"seed"}), "override seed: expected key.path=value, got no =");
  EXPECT_EQ(complaint("", {"model.params=3"}),
            "override model.params: expected a key, got a group of keys");
  EXPECT_EQ(complaint("", {"seed=many"}), "override seed: expected a whole number, got \"many\"");
  EXPECT_THAT(complaint("", {"data.image_shape=[1,"}),
              HasSubstr("override data.image_shape: not valid YAML: "));
  EXPECT_EQ(complaint("", {"data.image_shape=[100, 96]"}),
            "override data.image_shape: expected multiples of 32 px, got [100, 96]");
}

TEST(LoadRunConfig, MissingFileIsNamed) {
  EXPECT_THAT([] { load_run_config("no/such.yaml"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("no/such.yaml"), HasSubstr("No such file"))));
}

TEST(LoadRunConfig, MessagesHoldThePathAsGiven) {
  const TempFolder folder;
  const fs::path file = folder.write("my.yaml", "sed: 1\n");
  EXPECT_THAT(
      [&] { load_run_config(file); },
      ThrowsMessage<ConfigError>(file.string() + ":1: sed: unknown key; did you mean seed?"));
}

TEST(ToYaml, GivesBackTheSameConfiguration) {
  RunConfig config;
  config.output_dir = "a: \"b\" #c\\ \xc3\xa9";
  config.data.root = "null";
  config.data.cache_dir = "~";
  config.data.train_split = " leading and trailing ";
  config.model.pretrained = "3";
  config.data.val_split = "two\nlines";
  config.optimizer.lr = 1.0 / 3;
  config.model.params.codec.max_depth = 33.3;
  config.schedule.milestones = {4, 9};
  config.evaluation.flip = true;
  config.device = DeviceKind::kCpu;
  const RunConfig copy = parse(to_yaml(config));
  EXPECT_EQ(to_yaml(copy), to_yaml(config));
  EXPECT_EQ(copy.output_dir, config.output_dir);
  EXPECT_EQ(copy.data.root, "null");
  EXPECT_EQ(copy.data.cache_dir, "~");
  EXPECT_EQ(copy.data.train_split, config.data.train_split);
  EXPECT_EQ(copy.data.val_split, config.data.val_split);
  EXPECT_EQ(copy.model.pretrained, "3");
  EXPECT_EQ(copy.optimizer.lr, 1.0 / 3);
  EXPECT_EQ(copy.model.params.codec, config.model.params.codec);
  EXPECT_THAT(copy.schedule.milestones, ElementsAre(4, 9));
  EXPECT_TRUE(copy.evaluation.flip);
  EXPECT_EQ(copy.device, DeviceKind::kCpu);
}

TEST(ToYaml, NestsGroups) {
  EXPECT_THAT(to_yaml(RunConfig()), HasSubstr("model:\n  encoder: resnet18\n"));
  EXPECT_THAT(to_yaml(RunConfig()), HasSubstr("  params:\n    use_dual_head: true\n"));
  EXPECT_THAT(to_yaml(RunConfig()), HasSubstr("  image_shape: [192, 640]\n"));
}

TEST(Explain, NamesDefaultUnitRangeAndHelpOfAKey) {
  std::ostringstream out;
  explain_run_config(out);
  EXPECT_THAT(out.str(), HasSubstr("model.params.max_depth = 80 m\n"
                                   "    farthest depth that can be said\n"
                                   "    number, 0.01 to 10000 m\n"));
}

TEST(ConfigReference, DocsAreWhatTheOptionStructsSay) {
  std::ostringstream out;
  write_config_markdown(out);
  EXPECT_EQ(read_file(testing::source_dir() / "docs/config.md"), out.str())
      << "make it anew: cmake --build build --target config_reference";
}

TEST(ShippedConfigs, AllParse) {
  size_t count = 0;
  for (const auto& entry : fs::directory_iterator(testing::source_dir() / "configs")) {
    if (entry.is_directory()) continue;  // studies, which are configurations of another kind
    EXPECT_NO_THROW(load_run_config(entry.path())) << entry.path();
    EXPECT_EQ(entry.path().extension(), ".yaml");
    ++count;
  }
  EXPECT_GE(count, 2u);
}

}  // namespace
}  // namespace dualdepth
