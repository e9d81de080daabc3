// Networks that PyTorch exported and this program did not train, from end to end with the program.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>

#include "dualdepth/quantize/target.h"
#include "testing/interop_python.h"
#include "testing/kitti_tree.h"
#include "testing/program.h"

namespace dualdepth {
namespace {

using ::testing::HasSubstr;
using testing::ProgramResult;

struct Network {
  std::string name;
  std::vector<std::string> operators;  // that `inspect graph` lists
};

std::ostream& operator<<(std::ostream& out, const Network& network) { return out << network.name; }

class ForeignNetworks : public ::testing::TestWithParam<Network> {
 protected:
  static void SetUpTestSuite() {
    if (testing::interop_python().empty()) return;
    tree_ = std::make_unique<testing::KittiTree>();
    const auto made = testing::run_interop_script("interop/make_networks.py", tree_->root());
    ASSERT_EQ(made.exit_code, 0) << made.errors;
    tree_->add_frames(2);
    quantize::Target wide = quantize::target_of(OnnxProfile::kPortable);
    wide.name = "w8a16";
    wide.values.bits = {16};
    tree_->folder().write("w8a16.json", quantize::to_json(wide));
    tree_->folder().write("run.yaml", "data:\n  root: " + path("") + "\n  val_split: " +
                                          path("train.txt") + "\n  image_shape: [96, 160]\n");
  }
  static void TearDownTestSuite() { tree_.reset(); }
  void SetUp() override { DUALDEPTH_NEEDS_INTEROP(); }

  static std::string path(const std::string& name) { return (tree_->root() / name).string(); }
  static std::string network(const std::string& suffix) { return path(GetParam().name + suffix); }

  static ProgramResult run(const std::vector<std::string>& words) {
    return testing::run_program(testing::program(), words);
  }

 private:
  inline static std::unique_ptr<testing::KittiTree> tree_;
};

TEST_P(ForeignNetworks, GoThroughTheProgramAndKeepTheirSignal) {
  const auto graph = run({"inspect", "graph", network(".onnx")});
  ASSERT_EQ(graph.exit_code, 0) << graph.errors;
  for (const auto& kind : GetParam().operators) EXPECT_THAT(graph.output, HasSubstr(kind));

  const std::vector<std::string> quantize{
      "quantize",      network(".onnx"),    "--card",    network(".json"),
      "--calibration", path("calibration"), "--threads", "1"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), quantize.begin(), quantize.end());
    return run(more);
  };
  const auto quantized = with({"--out", network("_int8.onnx")});
  ASSERT_EQ(quantized.exit_code, 0) << quantized.errors;
  const auto wide =
      with({"--out", network("_w8a16.onnx"), "--target", path("w8a16.json"), "--pictures", "16"});
  ASSERT_EQ(wide.exit_code, 0) << wide.errors;

  const auto compared = run({"compare", network(".onnx"), network("_int8.onnx"), "--card",
                             network(".json"), "--data", path("run.yaml")});
  EXPECT_EQ(compared.exit_code, 0) << compared.errors;
  EXPECT_THAT(compared.output, HasSubstr(GetParam().name + "_int8.onnx"));

  const auto timed = run({"bench", network(".onnx"), network("_int8.onnx"), "--card",
                          network(".json"), "--runs", "2", "--warm-up", "1", "--threads", "1"});
  EXPECT_EQ(timed.exit_code, 0) << timed.errors;

  const auto measured =
      testing::run_interop_script("interop/compare_quantizers.py", path(""), GetParam().name,
                                  network("_int8.onnx"), network("_w8a16.onnx"));
  ASSERT_EQ(measured.exit_code, 0) << measured.errors;
  std::istringstream words(measured.output);
  std::map<std::string, double> decibels;
  std::string what;
  for (double ratio = 0; words >> what >> ratio;) decibels[what] = ratio;
  ASSERT_EQ(decibels.size(), 3U) << measured.output;
  EXPECT_GE(decibels["ours"], decibels["theirs"] - 0.5) << "against ONNX Runtime's quantizer";
  EXPECT_GE(decibels["wide"], decibels["ours"] + 3) << "values of 16 bits";
}

INSTANTIATE_TEST_SUITE_P(
    Exported, ForeignNetworks,
    ::testing::Values(Network{"bilinear", {"HardSwish", "HardSigmoid", "ReduceMean", "Resize"}},
                      Network{"segmentation", {"Expand", "LeakyRelu", "ArgMax"}},
                      Network{"unet", {"ConvTranspose", "Clip", "Softplus"}}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace dualdepth
