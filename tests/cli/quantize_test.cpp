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

TEST_F(Quantize, WritesTheFileItsRangesAndWhatWasMeasured) {
  const auto result = quantize(checkpoint(), config_with_one_frame(),
                               {"--diagnose", "--html", path("q.html"), "--json", path("q.json"),
                                "--save-ranges", path("ranges.json")});
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
  const auto again =
      quantize(checkpoint(), config_with_one_frame(),
               {"--load-ranges", path("ranges.json"), "--without", "bias-correction"});
  EXPECT_EQ(again.exit_code, 0) << again.errors;
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
