// What quantize calibrates and judges with, and the golden tensors that it dumps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>

#include "dualdepth/io/zip_file.h"
#include "quantized_checkpoint.h"
#include "testing/folder_contents.h"
#include "testing/wait_until.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ProgramResult;

void expect_done(const ProgramResult& result) { ASSERT_EQ(result.exit_code, 0) << result.errors; }

TEST_F(Quantize, EachKindOfCalibrationGivesTheSameFile) {
  expect_done(quantize_plainly(path("raw"), {"--dump", path("golden"), "--dump-pictures", "1"}));
  const std::string expected = read_file(path("q.onnx"));
  std::vector<fs::path> pictures;
  for (const auto& entry : fs::recursive_directory_iterator(path("raw"))) {
    if (entry.path().extension() == ".png") pictures.push_back(entry.path());
  }
  std::ranges::sort(pictures);
  std::string list = "# the first one is calibrated with\n";
  for (const auto& picture : pictures) list += picture.lexically_relative(path("")).string() + "\n";
  folder().write(path("list.txt"), list);
  fs::copy_file(path("golden/values/image.npy"), path("inputs.npy"));
  ZipWriter zip(path("inputs.npz"));
  zip.add("any_name.npy", read_file(path("inputs.npy")));
  zip.commit();
  for (const char* name : {"list.txt", "inputs.npy", "inputs.npz"}) {
    fs::remove(path("q.onnx"));
    expect_done(quantize_plainly(path(name), {}));
    EXPECT_TRUE(read_file(path("q.onnx")) == expected) << name;
  }
}

TEST_F(Quantize, RawInputsThatDoNotFitAreOneError) {
  fs::remove(path("q.onnx"));
  folder().write(path("text.npy"), "0.5 0.7");
  expect_error(quantize_plainly(path("text.npy"), {}), {"text.npy", "an .npy array"});
  folder().write(path("none.txt"), "no.png\n");
  expect_error(quantize_plainly(path("none.txt"), {}), {"none.txt:1", "no.png"});
  folder().write(path("zip.npz"), "PK");
  expect_error(quantize_plainly(path("zip.npz"), {}), {"zip.npz", "a zip file"});
  EXPECT_FALSE(fs::exists(path("q.onnx")));
}

TEST_F(Quantize, ADumpIsComparedLayerByLayer) {
  expect_done(quantize_plainly(path("raw"), {"--dump", path("layers")}));
  const Words words{"compare-layers", path("layers"), path("layers/values"), "--json",
                    path("layers.json")};
  auto result = run(words);
  EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("SQNR dB"), HasSubstr("no layer departs"),
                                   Not(HasSubstr("missing")), Not(HasSubstr("no golden layers"))));
  const auto rows = json_of("layers.json")["layers"];
  EXPECT_GT(rows.size(), 30);
  EXPECT_EQ(rows.back()["equal"], 1);

  // One layer is missing, one has other codes.
  const auto index = nlohmann::json::parse(read_file(path("layers/index.json")));
  fs::copy(path("layers/values"), path("chip"));
  const fs::path missing = index["layers"][3]["file"].get<std::string>();
  fs::remove(path("chip/" + missing.filename().string()));
  const fs::path changed = index["layers"][5]["file"].get<std::string>();
  std::string bytes = read_file(path("chip/" + changed.filename().string()));
  std::fill(bytes.begin() + 200, bytes.end(), '\x07');
  folder().write(path("chip/" + changed.filename().string()), bytes);
  result = run({"compare-layers", path("layers"), path("chip")});
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("1 layers are missing"),
                                   HasSubstr("first layer that departs: " +
                                             index["layers"][5]["name"].get<std::string>())));
  EXPECT_EQ(run({"compare-layers", path("layers"), path("chip"), "--min-sqnr", "-100"}).exit_code,
            0);
  expect_error(run({"compare-layers", path("layers"), path("raw")}), {"raw", "no .npy file"});
  expect_error(run({"compare-layers", path("raw"), path("layers")}), {"index.json"});
}

TEST_F(Quantize, AFolderWithOtherFilesIsNoPlaceForADump) {
  fs::remove(path("q.onnx"));
  expect_error(quantize_plainly(path("raw"), {"--dump", path("raw")}),
               {"raw", "an earlier dump of layers"});
  EXPECT_FALSE(fs::exists(path("q.onnx")));
}

TEST_F(Quantize, LayersAreJudgedByPicturesThatCalibrationDoesNotUse) {
  const auto judged_by = [&](const std::string& calibration, const std::string& pictures) {
    Words words{"quantize",     checkpoint(), "--calibration", calibration,       "--out",
                path("q.onnx"), "--pictures", pictures,        "--profile",       "tensorrt",
                "--budget",     "2",          "--metric",      "echo 1 # {model}"};
    for (const char* pass : {"centring", "equalization", "bias-correction", "adaptive-rounding"}) {
      words.insert(words.end(), {"--without", pass});
    }
    const auto result = run(words);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return result.output.substr(0, result.output.find('\n'));
  };
  EXPECT_EQ(judged_by(path("run.yaml"), "1"),
            "layers judged by 3 pictures of data.val_split, none of them calibrated with");
  EXPECT_EQ(judged_by(path("raw"), "1"),
            "layers judged by 3 pictures that calibration does not use");
  EXPECT_EQ(judged_by(path("raw"), "4"),
            "layers judged by 4 pictures of calibration, since 4 are too few to hold any out");
}

// A metric that the quantized file keeps: the number of its outputs named level.
TEST_F(Quantize, ACommandOfTheUsersHoldsTheBudget) {
  const std::string counts = "grep -c level {model} > " + path("counts") + "; echo 4";
  auto result = quantize_plainly(path("raw"), {"--budget", "1.02", "--metric", counts});
  expect_done(result);
  EXPECT_THAT(result.output, HasSubstr("metric     1.0000 times float's"));
  EXPECT_EQ(result.output.find("float      "), std::string::npos) << result.output;
  result = quantize_plainly(path("raw"), {"--budget", "3", "--metric", "wc -c < {model}",
                                          "--metric-higher", "--keep-float", "1"});
  EXPECT_EQ(result.exit_code, 2);  // --budget excludes --keep-float
}

TEST_F(Quantize, AMetricThatFailsIsOneErrorAndNothingIsWritten) {
  fs::remove(path("q.onnx"));
  const auto with = [&](const std::string& metric) {
    return quantize_plainly(path("raw"), {"--budget", "1.1", "--metric", metric});
  };
  expect_error(with("echo 1"), {"--metric echo 1", "{model}"});
  expect_error(with("echo nan # {model}"), {"a finite number", "got nan"});
  expect_error(with("exit 3 # {model}"), {"exit code 0, got 3"});
  EXPECT_FALSE(fs::exists(path("q.onnx")));
}

TEST_F(Quantize, AnInterruptEndsTheMetricToo) {
  fs::remove(path("q.onnx"));
  const std::string metric = "echo $$ > " + path("pid") + "; sleep 1000; echo 1 # {model}";
  testing::Program program(testing::program(), {"quantize",      checkpoint(),
                                                "--calibration", path("raw"),
                                                "--out",         path("q.onnx"),
                                                "--pictures",    "1",
                                                "--without",     "adaptive-rounding",
                                                "--without",     "centring",
                                                "--without",     "equalization",
                                                "--without",     "bias-correction",
                                                "--budget",      "1.1",
                                                "--metric",      metric},
                           path("out.txt"), path("err.txt"));
  pid_t child = 0;
  ASSERT_TRUE(
      testing::wait_until([&] { return static_cast<bool>(std::ifstream(path("pid")) >> child); },
                          std::chrono::seconds(300)))
      << read_file(path("err.txt"));
  program.send(SIGINT);
  EXPECT_EQ(program.wait(), 130);
  EXPECT_THAT(read_file(path("err.txt")), HasSubstr("stopped"));
  EXPECT_TRUE(testing::wait_until([&] { return ::kill(child, 0) != 0; }));
  EXPECT_FALSE(fs::exists(path("q.onnx")));
}

}  // namespace
}  // namespace dualdepth
