// The heads that are not categorical on the way from training to a file in 8 bits, as people go it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "trained_checkpoint.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class HeadKinds : public TrainedCheckpoint {
 protected:
  static void SetUpTestSuite() {
    train(2, 1);
    for (const char* kind : {"cumulative", "sigmoid", "hilbert"}) {
      train_variant(kind, std::string("model.head.kind=") + kind);
    }
    for (const char* decoding : {"expectation", "median"}) {
      train_variant(decoding, std::string("model.params.decoding=") + decoding);
    }
  }

  static void train_variant(const std::string& name, const std::string& option) {
    const auto result = run({"train", path("run.yaml"), "output_dir=" + path(name), option});
    ASSERT_EQ(result.exit_code, 0) << result.errors;
  }

  static std::string checkpoint_of(const std::string& kind) {
    return path(kind + "/checkpoints/last.safetensors");
  }
};

TEST_F(HeadKinds, EachExportedFileEvaluatesAsItsCheckpoint) {
  const std::vector<std::pair<std::string, Words>> files{
      {"cumulative", {"--profile", "portable"}},
      {"cumulative", {"--profile", "npu", "--groups", "4"}},
      {"cumulative", {"--outputs", "depth", "--dynamic"}},
      {"cumulative", {"--format", "torchscript"}},
      {"sigmoid", {}},
      {"sigmoid", {"--outputs", "logits"}},
      {"hilbert", {}},
      {"hilbert", {"--format", "torchscript"}},
      {"expectation", {}},
      {"expectation", {"--outputs", "logits"}},
      {"expectation", {"--format", "torchscript"}},
      {"median", {}}};
  for (const auto& [kind, words] : files) {
    const bool script = !words.empty() && words.back() == "torchscript";
    const auto file = path(script ? "m.ts" : "m.onnx");
    SCOPED_TRACE(kind + " " + (words.empty() ? "" : words.back()));
    Words all{"export", checkpoint_of(kind), "--out", file};
    all.insert(all.end(), words.begin(), words.end());
    const auto result = run(all);
    ASSERT_EQ(result.exit_code, 0) << result.errors << result.output;
    expect_same_metrics(eval(file), eval(checkpoint_of(kind)), 1e-3);
  }
}

TEST_F(HeadKinds, ACumulativeHeadIsQuantizedAndComparedAsWritten) {
  const auto quantized =
      run({"quantize", checkpoint_of("cumulative"), "--calibration", path("raw"), "--out",
           path("q.onnx"), "--pictures", "2", "--without", "adaptive-rounding"});
  ASSERT_EQ(quantized.exit_code, 0) << quantized.errors;
  EXPECT_THAT(quantized.output, HasSubstr("written"));
  for (const bool as_written : {false, true}) {
    Words words{"compare",        checkpoint_of("cumulative"),
                path("q.onnx"),   "--data",
                path("run.yaml"), "--json",
                path("c.json")};
    if (as_written) words.push_back("--as-written");
    const auto compared = run(words);
    ASSERT_EQ(compared.exit_code, 0) << compared.errors;
    EXPECT_THAT(compared.output, HasSubstr("q.onnx"));
  }
  expect_same_metrics(eval(path("q.onnx")), eval(checkpoint_of("cumulative")), 0.05);
}

// The row that is chosen is what the written checkpoint evaluates to.
TEST_F(HeadKinds, SlopeAndQuantileAreChosenOnTheValidationSplit) {
  const auto result = run({"tune", checkpoint_of("cumulative"), "--data", path("run.yaml"),
                           "--slopes", "0.25", "1", "--quantiles", "0.3", "0.5", "0.7", "--out",
                           path("tuned.safetensors"), "--json", path("tune.json")});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("chosen"), HasSubstr("written")));
  const auto json = nlohmann::json::parse(read_file(path("tune.json")));
  ASSERT_EQ(json["decodings"].size(), 6u);
  const auto& chosen = json["chosen"];
  for (const auto& row : json["decodings"]) {
    if (row["slope"] == chosen["slope"] && row["quantile"] == chosen["quantile"]) {
      expect_same_metrics(eval(path("tuned.safetensors")), row, 1e-9);
    }
  }
  const auto printed = run({"inspect", "model", path("tuned.safetensors")});
  EXPECT_THAT(printed.output,
              HasSubstr("slope " + std::to_string(chosen["slope"].get<double>()).substr(0, 1)));
  expect_error(run({"tune", checkpoint_of("sigmoid"), "--data", path("run.yaml")}),
               {"a network with a cumulative head, or a categorical one", "a sigmoid head"});
}

TEST_F(HeadKinds, ACategoricalHeadIsDecodedInTheWayThatIsBest) {
  const auto result = run({"tune", checkpoint(), "--data", path("run.yaml"), "--out",
                           path("tuned.safetensors"), "--json", path("tune.json")});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto json = nlohmann::json::parse(read_file(path("tune.json")));
  ASSERT_EQ(json["decodings"].size(), 3u);
  for (const auto& row : json["decodings"]) {
    if (row["decoding"] == json["chosen"]["decoding"]) {
      expect_same_metrics(eval(path("tuned.safetensors")), row, 1e-9);
    }
  }
  expect_same_metrics(eval(checkpoint()), json["decodings"][0], 1e-9);  // argmax
}

TEST_F(HeadKinds, TheContractOfACumulativeHeadSaysHowToDecodeIt) {
  const auto printed = run({"inspect", "model", checkpoint_of("cumulative")});
  EXPECT_THAT(printed.output,
              AllOf(HasSubstr("head     cumulative"), HasSubstr("slope 1, quantile 0.5"),
                    HasSubstr(R"("position": {"is":"position","scale":1.0,"shift":0.0})")));
}

TEST_F(HeadKinds, RefusesWhatAHeadDoesNotHave) {
  const auto exported = [](const std::string& kind, const Words& more) {
    Words words{"export", checkpoint_of(kind), "--out", path("none.onnx")};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  expect_error(exported("cumulative", {"--outputs", "levels"}),
               {"position or depth", "cumulative head", "got levels"});
  expect_error(exported("cumulative", {"--groups", "7"}), {"groups", "divides the 256 levels"});
  expect_error(exported("hilbert", {"--outputs", "depth"}), {"coordinates", "hilbert head"});
  expect_error(exported("median", {"--outputs", "depth"}), {"logits", "decoding median"});
  expect_error(run({"quantize", checkpoint_of("expectation"), "--calibration", path("raw"), "--out",
                    path("none.onnx")}),
               {"depth or logits", "decoding expectation"});
  expect_error(exported("cumulative", {"--center-with", path("raw")}),
               {"centring", "categorical head"});
  expect_error(run({"verify", checkpoint_of("cumulative"), "--data", path("run.yaml")}),
               {"a model with two heads", "position: position"});
  EXPECT_FALSE(std::filesystem::exists(path("none.onnx")));
}

}  // namespace
}  // namespace dualdepth
