#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "testing/interop_python.h"
#include "testing/narrow_model.h"
#include "testing/program.h"
#include "testing/shared_data.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using testing::shared_path;

struct Case {
  const char* protocol;
  const char* scaling;
  std::string drive;
  std::vector<std::string> frames;
};

void PrintTo(const Case& value, std::ostream* stream) {
  *stream << value.protocol << ", scaling " << value.scaling;
}

// What `eval` says of a barely trained network, held against an evaluation in NumPy of the pictures
// that `predict` wrote: real frames, annotated depth and velodyne sweeps.
class ReferenceEvaluation : public ::testing::TestWithParam<Case> {
 protected:
  static void run(std::vector<std::string> arguments) {
    const auto result = testing::run_program(testing::program(), std::move(arguments));
    ASSERT_EQ(result.exit_code, 0) << result.errors;
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  testing::TempFolder folder_;
};

TEST_P(ReferenceEvaluation, AgreesWithTheProgram) {
  DUALDEPTH_NEEDS_INTEROP();
  DUALDEPTH_NEEDS_SHARED("kitti_mini");
  const fs::path root = shared_path("kitti_mini/raw");
  const fs::path drive = fs::path("2011_09_26") / GetParam().drive;
  std::string split;
  for (const std::string& frame : GetParam().frames) {
    split += drive.string() + " " + frame + " l\n";
  }
  folder_.write("split.txt", split);
  const fs::path config = folder_.write(
      "run.yaml", "data: {root: " + root.string() + ", train_split: " + path("split.txt") +
                      ", val_split: " + path("split.txt") +
                      ", image_shape: [96, 320], batch_size: 2}\n" + testing::kNarrowModelYaml);
  const bool sweeps = GetParam().protocol == std::string("eigen-garg");
  run({"train", config, "output_dir=" + path("run"), "trainer.max_steps=2",
       std::string("data.ground_truth=") + (sweeps ? "velodyne" : "annotated"),
       std::string("evaluation.protocol=") + GetParam().protocol});
  const std::string model = path("run/checkpoints/last.safetensors");
  run({"predict", model, root / drive / "image_02/data", "--format", "npy", "--out",
       folder_ / "predictions" / drive / "image_02/data"});
  run({"eval", model, "--dataset", "kitti", "--root", root, "--split", path("split.txt"),
       "--protocol", GetParam().protocol, "--scaling", GetParam().scaling, "--json",
       path("eval.json")});
  const auto script = testing::run_interop_script(
      "metrics/reference_evaluation.py", "--root", root, "--split", folder_ / "split.txt",
      "--protocol", GetParam().protocol, "--scaling", GetParam().scaling, "--predictions",
      folder_ / "predictions");
  ASSERT_EQ(script.exit_code, 0) << script.errors;

  const auto ours = nlohmann::json::parse(read_file(folder_ / "eval.json"));
  const auto reference = nlohmann::json::parse(script.output);
  EXPECT_EQ(ours["num_samples"], GetParam().frames.size());
  EXPECT_EQ(ours["num_samples"], reference["num_samples"]);
  for (const auto& [metric, value] : reference["summary"].items()) {
    const auto expected = value.get<double>();
    EXPECT_NEAR(ours["summary"][metric].get<double>(), expected, 1e-4 * std::abs(expected) + 1e-5)
        << metric;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Protocols, ReferenceEvaluation,
    ::testing::Values(
        Case{"eigen-garg",
             "none",
             "2011_09_26_drive_0005_sync",
             {"0000000000", "0000000050", "0000000100", "0000000150"}},
        Case{"eigen-annotated", "none", "2011_09_26_drive_0018_sync", {"0000000046", "0000000066"}},
        Case{"eigen-kb-garg",
             "median",
             "2011_09_26_drive_0018_sync",
             {"0000000076", "0000000086"}}));

}  // namespace
}  // namespace dualdepth
