// A network that this program did not train, by its ONNX file and a few lines of JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dualdepth/io/npy.h"
#include "trained_checkpoint.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class ForeignModel : public TrainedCheckpoint {
 protected:
  static void SetUpTestSuite() {
    train(2, 1);
    folder().write("card.json", R"({
  "format_version": 2,
  "input": {"name": "pixel_values", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
  "outputs": {"predicted_depth": {"is": "depth"}}
})");
    folder().write("levels.json", R"({
  "format_version": 2,
  "outputs": {"level": {"is": "level"}, "fraction": {"is": "fraction"}},
  "codec": {"codec": "step", "spacing": "log", "n_integer_levels": 48, "min_depth": 0.5}
})");
  }

  static std::string file(const std::string& name) {
    return (testing::source_dir() / "tests/runtime/data" / name).string();
  }
  static std::string depth() { return file("foreign_depth.onnx"); }
  static Words with_card(Words words, const std::string& card = "card.json") {
    words.insert(words.end(), {"--card", path(card)});
    return words;
  }
  static nlohmann::json json(const std::string& name) {
    return nlohmann::json::parse(read_file(path(name)));
  }
};

TEST_F(ForeignModel, IsEvaluatedTheSameInBatches) {
  const Words words{"eval", depth(), "--data", path("run.yaml"), "--json"};
  auto single = with_card(words);
  single.insert(single.begin() + 5, path("one.json"));
  auto batched = with_card(words);
  batched.insert(batched.begin() + 5, {path("two.json"), "--batch", "2"});
  const auto result = run(single);
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  ASSERT_EQ(run(batched).exit_code, 0);
  const auto one = json("one.json");
  EXPECT_EQ(one["num_samples"], 2);
  EXPECT_EQ(one["config"]["contract"]["outputs"]["predicted_depth"]["is"], "depth");
  EXPECT_EQ(one["summary"], json("two.json")["summary"]);
}

TEST_F(ForeignModel, IsPredicted) {
  const auto result = run(with_card({"predict", depth(), path("raw"), "--out", path("predicted"),
                                     "--format", "npy", "--batch", "2"}));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path("predicted"))) {
    files += entry.path().extension() == ".npy" ? 1 : 0;
  }
  EXPECT_EQ(files, 2u);
}

TEST_F(ForeignModel, IsComparedAndTimedBesideACheckpoint) {
  const auto compared = run(with_card(
      {"compare", checkpoint(), depth(), "--data", path("run.yaml"), "--json", path("c.json")}));
  ASSERT_EQ(compared.exit_code, 0) << compared.errors;
  EXPECT_THAT(compared.output, HasSubstr("foreign_depth.onnx"));
  const auto timed = run(with_card({"bench", checkpoint(), depth(), "--runs", "2", "--warm-up", "1",
                                    "--batch", "2", "--json", path("b.json")}));
  ASSERT_EQ(timed.exit_code, 0) << timed.errors;
  EXPECT_EQ(json("b.json")["batch"], 2);
  EXPECT_EQ(json("b.json")["models"].size(), 2u);
}

TEST_F(ForeignModel, IsVerifiedWhereItHasTwoHeads) {
  const auto result =
      run(with_card({"verify", file("levels_1.onnx"), "--data", path("run.yaml")}, "levels.json"));
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("they agree"));
  expect_error(run(with_card({"verify", depth(), "--data", path("run.yaml")})),
               {"two heads", "predicted_depth: depth"});
}

TEST_F(ForeignModel, IsInspected) {
  const auto result = run(with_card({"inspect", "model", depth()}));
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("\"pixel_values\""), HasSubstr("\"size\":[32,64]")));
}

TEST_F(ForeignModel, IsQuantized) {
  const auto result = run(with_card({"quantize", depth(), "--calibration", path("raw"), "--out",
                                     path("foreign_int8.onnx"), "--without", "centring"}));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto evaluated = run({"eval", path("foreign_int8.onnx"), "--data", path("run.yaml")});
  EXPECT_EQ(evaluated.exit_code, 0) << evaluated.errors;
}

TEST_F(ForeignModel, WithoutACardIsOneErrorThatShowsHowToWriteIt) {
  expect_error(run({"eval", depth(), "--data", path("run.yaml")}),
               {"foreign_depth.onnx", "--card", "pixel_values float [?, 3, 32, 64]",
                "\"format_version\": 2"});
  expect_error(run({"eval", checkpoint(), "--data", path("run.yaml"), "--card", path("card.json")}),
               {"last.safetensors", "leave --card out"});
  folder().write("typo.json", "{\"format_version\": 2,\n \"inputs\": {}}");
  expect_error(run(with_card({"eval", depth(), "--data", path("run.yaml")}, "typo.json")),
               {"typo.json"});
}

}  // namespace
}  // namespace dualdepth
