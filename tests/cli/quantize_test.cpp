// The way from a checkpoint to an 8-bit file, as people go it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "quantized_checkpoint.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(Quantize, WritesTheFileItsPlanAndWhatWasMeasured) {
  const auto result = quantize(checkpoint(), config_with_one_frame(),
                               {"--diagnose", "--html", path("q.html"), "--json", path("q.json"),
                                "--save-plan", path("plan.json")});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("centred"), HasSubstr("equalized"),
                                   HasSubstr("only this in 8 bits"), HasSubstr("written")));
  EXPECT_THAT(read_file(path("q.html")), HasSubstr("<svg"));
  const auto json = json_of("q.json");
  EXPECT_EQ(json["profile"], "portable");
  EXPECT_EQ(json["stages"].back()["name"], "file, OpenVINO");
  EXPECT_GT(json["layers"].size(), 32);  // convolutions, and grids of other operations
  EXPECT_GT(json["float_abs_rel"], 0);
  for (const auto& layer : json["layers"]) EXPECT_GT(layer["abs_rel"], 0);

  expect_error(quantize(path("q.onnx"), path("run.yaml")), {"a float model", "quantized already"});
  const std::string file = read_file(path("q.onnx"));
  // The plan's target is the profile.
  const auto again = run({"quantize", checkpoint(), "--calibration", config_with_one_frame(),
                          "--out", path("again.onnx"), "--pictures", "1", "--without",
                          "adaptive-rounding", "--plan", path("plan.json")});
  ASSERT_EQ(again.exit_code, 0) << again.errors;
  EXPECT_EQ(again.output.find("centred"), std::string::npos) << again.output;
  EXPECT_TRUE(read_file(path("again.onnx")) == file);
}

TEST_F(Quantize, APlanIsPrintedComparedEditedAndRefusedWhereItDoesNotFit) {
  ASSERT_EQ(
      quantize_plainly(path("raw"), {"--save-plan", path("plain.json"), "--profile", "tensorrt"})
          .exit_code,
      0);
  const auto printed = run({"inspect", "plan", path("plain.json")});
  EXPECT_THAT(printed.output, AllOf(HasSubstr("target     tensorrt"), HasSubstr("/Conv")));
  EXPECT_THAT(run({"inspect", "plan", path("plain.json"), path("plain.json")}).output,
              HasSubstr("the plans are equal"));

  auto plan = json_of("plain.json");
  const std::string name = plan["values"].begin().key();
  auto& scale = plan["values"][name]["scale"];
  scale = 2 * scale.get<double>();
  folder().write("edited.json", plan.dump());
  EXPECT_THAT(run({"inspect", "plan", path("plain.json"), path("edited.json")}).output,
              HasSubstr(name + ": low -128.00 codes, high +127.00 codes"));
  const Words by_plan{"quantize",  checkpoint(),        "--calibration", path("raw"),
                      "--out",     path("p.onnx"),      "--pictures",    "1",
                      "--without", "adaptive-rounding", "--without",     "bias-correction",
                      "--plan"};
  const auto with = [&](const Words& more) {
    Words words = by_plan;
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  const auto edited = with({path("edited.json"), "--save-plan", path("kept.json")});
  ASSERT_EQ(edited.exit_code, 0) << edited.errors;
  EXPECT_THAT(run({"inspect", "plan", path("edited.json"), path("kept.json")}).output,
              HasSubstr("the plans are equal"));

  fs::remove(path("p.onnx"));
  const auto both = with({path("edited.json"), "--ranges", "mse"});
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_THAT(both.errors, AllOf(HasSubstr("--plan"), HasSubstr("--ranges")));
  expect_error(with({path("edited.json"), "--without", "centring"}), {"--plan", "centring"});
  plan["network"] = "0123456789012345678901234567890123456789";
  folder().write("other.json", plan.dump());
  expect_error(with({path("other.json")}), {"0123456789012345678901234567890123456789",
                                            json_of("plain.json")["network"].get<std::string>()});
  scale = 0;
  folder().write("zero.json", plan.dump());
  expect_error(with({path("zero.json")}), {"zero.json", "values." + name + ".scale", "above 0"});
  EXPECT_FALSE(fs::exists(path("p.onnx")));
}

TEST_F(Quantize, KeepsSoManyOfTheMostSensitiveConvolutionsInFloat) {
  const auto result =
      quantize_plainly(path("raw"), {"--keep-float", "2", "--json", path("kept.json")});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto json = json_of("kept.json");
  ASSERT_EQ(json["float_layers"].size(), 2);
  const auto graph = run({"inspect", "graph", path("q.onnx")});
  EXPECT_EQ(graph.exit_code, 0) << graph.errors;
  EXPECT_THAT(result.output, HasSubstr(json["float_layers"][0].get<std::string>()));
}

// Twice float's error is more than 8 bits cost.
TEST_F(Quantize, ABudgetThatHoldsLeavesNothingInFloat) {
  const auto result = quantize_plainly(config_with_one_frame(), {"--budget", "2"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("times float's"));
  EXPECT_EQ(result.output.find("float      "), std::string::npos) << result.output;
}

TEST_F(Quantize, FineTuningWritesAFileThatEvaluates) {
  const Words words{"train",
                    path("run.yaml"),
                    "output_dir=" + path("tuned"),
                    "quantize.fake=true",
                    "quantize.pictures=1",
                    "trainer.max_steps=2",
                    "optimizer.lr=1e-5"};
  expect_error(run(words), {"quantize.checkpoint"});
  EXPECT_FALSE(fs::exists(path("tuned")));
  Words with_checkpoint = words;
  with_checkpoint.push_back("quantize.checkpoint=" + checkpoint());
  const auto tuned = run(with_checkpoint);
  ASSERT_EQ(tuned.exit_code, 0) << tuned.errors;
  EXPECT_THAT(tuned.output, AllOf(HasSubstr("finished after 2 steps"), HasSubstr("abs_rel")));
  const auto judged = run({"eval", path("tuned/int8.onnx"), "--data", path("run.yaml")});
  EXPECT_EQ(judged.exit_code, 0) << judged.errors;
}

TEST_F(Quantize, AnotherShapeThanTheFilesOwnIsRefusedAtOnce) {
  ASSERT_EQ(run({"export", checkpoint(), "--out", path("static.onnx")}).exit_code, 0);
  expect_error(quantize(path("static.onnx"), path("raw"), {"--shape", "1x3x64x64"}),
               {"static.onnx", "--shape Nx3x32x64", "1x3x64x64", "--dynamic"});
}

TEST_F(Quantize, AFileForSeveralPicturesAtOnceIsProvenWithAsMany) {
  const auto result = quantize(checkpoint(), path("raw"), {"--shape", "3x3x32x64"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto graph = run({"inspect", "graph", path("q.onnx")});
  EXPECT_THAT(graph.output, HasSubstr("3x3x32x64"));
}

TEST_F(Quantize, BadInputIsOneClearError) {
  fs::create_directories(path("empty"));
  expect_error(quantize(checkpoint(), path("empty")), {"empty"});
  expect_error(quantize(checkpoint(), path("raw"), {"--budget", "1.02"}),
               {"budget", "ground truth", "--keep-float N"});
  expect_error(quantize(checkpoint(), path("raw"), {"--keep-float", "no/such/Conv"}),
               {"keep-float", "no/such/Conv"});
  expect_error(
      quantize(checkpoint(), path("raw"), {"--profile", "npu", "--weights", "per-channel"}),
      {"npu", "per-tensor"});
}

TEST_F(Quantize, NanInWeightsNamesTheFileAndTheLayer) {
  std::string bytes = read_file(checkpoint());
  uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof(header));
  const auto entries = nlohmann::json::parse(bytes.substr(8, header));
  const size_t begin = entries["model.encoder.layer1.0.conv1.weight"]["data_offsets"][0];
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(bytes.data() + 8 + header + begin, &nan, sizeof(nan));
  std::ofstream(path("nan.safetensors"), std::ios::binary) << bytes;
  expect_error(quantize(path("nan.safetensors"), path("raw")),
               {"nan.safetensors", "encoder.layer1.0.conv1", "finite"});
}

}  // namespace
}  // namespace dualdepth
