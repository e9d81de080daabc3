// The way from a checkpoint to a file that runs elsewhere, as people go it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "dualdepth/io/image.h"
#include "dualdepth/io/safetensors.h"
#include "trained_checkpoint.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ProgramResult;

class Export : public TrainedCheckpoint {
 protected:
  static void SetUpTestSuite() { train(2, 1); }

  static ProgramResult export_to(const std::string& file, const Words& more = {}) {
    Words words{"export", checkpoint(), "--out", path(file)};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
};

TEST_F(Export, EachFileEvaluatesAsItsCheckpoint) {
  const auto expected = eval(checkpoint());
  ASSERT_EQ(export_to("m.onnx").exit_code, 0);
  ASSERT_EQ(export_to("d.onnx", {"--outputs", "depth", "--dynamic"}).exit_code, 0);
  ASSERT_EQ(export_to("m.ts", {"--format", "torchscript"}).exit_code, 0);
  for (const char* file : {"m.onnx", "d.onnx", "m.ts"}) {
    SCOPED_TRACE(file);
    expect_same_metrics(eval(path(file)), expected, 1e-4);
  }
}

TEST_F(Export, PrintsTheComparisonWithTheCheckpoint) {
  const auto result = export_to("m.onnx", {"--check-with", path("raw")});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("2 pictures, 4096 pixels, OpenVINO"),
                                   HasSubstr("all others agree"), HasSubstr("written")));
}

TEST_F(Export, TheNpusFileIsCentredAndKeepsItsRules) {
  expect_error(export_to("npu.onnx", {"--profile", "npu"}), {"--center-with"});
  EXPECT_FALSE(fs::exists(path("npu.onnx")));
  const auto result = export_to("npu.onnx", {"--profile", "npu", "--center-with", path("raw")});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("centred"));
  const auto lint = run({"inspect", "lint", path("npu.onnx"), "--target", "npu"});
  EXPECT_EQ(lint.exit_code, 0) << lint.output;
  EXPECT_THAT(lint.output, HasSubstr("all 13 rules of npu hold"));
}

// The checkpoint with an integer head of a hundred times its filters.
void write_with_large_logits(const fs::path& from, const fs::path& to) {
  const SafetensorsFile file(from);
  auto tensors = file.tensors();
  auto& head = tensors.at("model.decoder.head_0.integer.weight");
  std::vector<float> filters(head.bytes.size() / sizeof(float));
  std::memcpy(filters.data(), head.bytes.data(), head.bytes.size());
  for (float& weight : filters) weight *= 100;
  head.bytes = std::as_bytes(std::span(filters));
  write_safetensors(to, tensors, file.metadata());
}

std::string write_grey(const std::string& folder, int mean, int spread) {
  fs::create_directories(folder);
  cv::Mat rgb(32, 64, CV_8UC3);
  cv::theRNG().state = 11;
  cv::randu(rgb, mean - spread, mean + spread + 1);
  write_rgb(fs::path(folder) / "0.png", rgb);
  return folder;
}

// Centred with a dark picture: in a bright one its Relu clips every logit of some pixels.
TEST_F(Export, AFileThatDiffersFromItsCheckpointIsNotWrittenAndEndsWith1) {
  // The winning logits of a narrow network are close to linear in its features, and are not
  // clipped.
  ASSERT_EQ(run({"train", path("run.yaml"), "output_dir=" + path("wide"), "model.encoder_width=1",
                 "model.decoder_width=1"})
                .exit_code,
            0);
  write_with_large_logits(path("wide/checkpoints/last.safetensors"), path("large.safetensors"));
  const auto night = write_grey(path("night"), 10, 2);
  const auto day = write_grey(path("day"), 128, 120);
  const auto result = run({"export", path("large.safetensors"), "--out", path("clipped.onnx"),
                           "--center-with", night, "--check-with", night, day});
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("have no logit above 0"), HasSubstr("day/0.png"),
                                   HasSubstr("nothing is written")));
  EXPECT_FALSE(fs::exists(path("clipped.onnx")));
}

TEST_F(Export, LintNamesNodeRuleAndRemedy) {
  ASSERT_EQ(export_to("m.onnx").exit_code, 0);
  const auto lint = run({"inspect", "lint", path("m.onnx")});
  EXPECT_EQ(lint.exit_code, 1);
  EXPECT_THAT(lint.output, AllOf(HasSubstr("/decoder/Upsample_4: no-resize"),
                                 HasSubstr("export with profile npu"), HasSubstr("5 broken")));
}

TEST_F(Export, GraphIsPrintedAndDrawn) {
  ASSERT_EQ(export_to("m.onnx").exit_code, 0);
  for (const std::string& file : {checkpoint(), path("m.onnx")}) {
    const auto result = run({"inspect", "graph", file, "--svg", path("g.svg")});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_THAT(result.output, HasSubstr("/encoder/layer4/1/conv2/Conv"));
    EXPECT_THAT(read_file(path("g.svg")), HasSubstr("/decoder/head_0/integer/Conv"));
  }
}

TEST_F(Export, BenchTimesModelsSideBySide) {
  ASSERT_EQ(export_to("m.onnx").exit_code, 0);
  const auto result = run({"bench", checkpoint(), path("m.onnx"), "--runs", "3", "--warm-up", "1",
                           "--layers", "--json", path("b.json")});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto models = nlohmann::json::parse(read_file(path("b.json")))["models"];
  ASSERT_EQ(models.size(), 2u);
  for (const auto& model : models) {
    EXPECT_GT(model["latency_ms"]["median"].get<double>(), 0);
    EXPECT_GE(model["latency_ms"]["p90"], model["latency_ms"]["median"]);
    EXPECT_GT(model["peak_mb"].get<double>(), 50);
  }
  // The integer head's argmax is none of OpenVINO's own.
  EXPECT_THAT(models[1]["layers"].dump(), AllOf(HasSubstr("Convolution"), Not(HasSubstr("TopK"))));
}

TEST_F(Export, AFileAsWrittenEvaluatesAsItsCheckpoint) {
  ASSERT_EQ(export_to("m.onnx").exit_code, 0);
  const auto expected = eval(checkpoint())["abs_rel"].get<double>();
  const auto got = eval(path("m.onnx"), {"--as-written"});
  EXPECT_NEAR(got["abs_rel"].get<double>(), expected, 1e-4);
  const auto help = run({"predict", "--help"});
  EXPECT_THAT(help.output, HasSubstr("--as-written"));
}

TEST_F(Export, WrongShapesAndUnfitRuntimesAreOneClearError) {
  expect_error(export_to("none.onnx", {"--shape", "1x3x100x64"}),
               {"multiples of 32", "1x3x100x64"});
  expect_error(export_to("none.onnx", {"--shape", "banana"}), {"--shape", "banana"});
  expect_error(export_to("none.onnx", {"--profile", "npu", "--no-centring", "--dynamic"}),
               {"a fixed shape"});
  expect_error(run({"eval", checkpoint(), "--data", path("run.yaml"), "--runtime", "openvino"}),
               {"last.safetensors", "an ONNX file"});
  EXPECT_FALSE(fs::exists(path("none.onnx")));
}

TEST_F(Export, DamagedFilesAreOneClearError) {
  ASSERT_EQ(export_to("m.onnx").exit_code, 0);
  ASSERT_EQ(export_to("m.ts", {"--format", "torchscript"}).exit_code, 0);
  for (const char* file : {"m.onnx", "m.ts"}) {
    const auto bytes = read_file(path(file));
    folder().write(file, bytes.substr(0, bytes.size() / 2));
    expect_error(run({"predict", path(file), path("raw"), "--out", path("predicted")}), {file});
  }
  EXPECT_FALSE(fs::exists(path("predicted")));
}

TEST_F(Export, ACheckpointWithoutItsCodecIsRefused) {
  auto bytes = read_file(checkpoint());
  const auto at = bytes.find("dualdepth\"");
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, 9, "otherkeys");
  folder().write("other.safetensors", bytes);
  expect_error(run({"export", path("other.safetensors"), "--out", path("x.onnx")}),
               {"other.safetensors", "a checkpoint written by dualdepth train"});
  EXPECT_FALSE(fs::exists(path("x.onnx")));
}

}  // namespace
}  // namespace dualdepth
