#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "testing/kitti_tree.h"
#include "testing/narrow_model.h"
#include "testing/program.h"

namespace dualdepth {

using Words = std::vector<std::string>;

// Some steps of training on a KITTI tree of 64x32 pictures make the checkpoint that all tests of a
// suite share. A suite calls train() in its SetUpTestSuite().
class TrainedCheckpoint : public ::testing::Test {
 protected:
  static void train(int frames, int steps) {
    tree_ = std::make_unique<testing::KittiTree>();
    tree_->add_frames(frames);
    folder().write("run.yaml", "output_dir: " + path("run") +
                                   "\nthreads: 1\ndata:\n  root: " + tree_->root().string() +
                                   "\n  train_split: " + path("train.txt") +
                                   "\n  val_split: " + path("train.txt") +
                                   "\n  image_shape: [32, 64]\n  batch_size: 2\n"
                                   "trainer: {max_steps: " +
                                   std::to_string(steps) + "}\n" + testing::kNarrowModelYaml);
    ASSERT_EQ(run({"train", path("run.yaml")}).exit_code, 0);
  }
  static void TearDownTestSuite() { tree_.reset(); }

  static const testing::TempFolder& folder() { return tree_->folder(); }
  static std::string path(const std::string& name) { return (tree_->root() / name).string(); }
  static std::string checkpoint() { return path("run/checkpoints/last.safetensors"); }

  static testing::ProgramResult run(const Words& words) {
    return testing::run_program(testing::program(), words);
  }

  // The metrics of `eval` on the run's data.
  static nlohmann::json eval(const std::string& model, const Words& more = {}) {
    Words words{"eval", model, "--data", path("run.yaml"), "--json", path("e.json")};
    words.insert(words.end(), more.begin(), more.end());
    const auto result = run(words);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return nlohmann::json::parse(read_file(path("e.json")))["summary"];
  }

  static void expect_same_metrics(const nlohmann::json& got, const nlohmann::json& expected,
                                  double tolerance) {
    for (const char* metric : {"abs_rel", "rmse", "d1"}) {
      EXPECT_NEAR(got[metric].get<double>(), expected[metric].get<double>(), tolerance) << metric;
    }
  }

  static void expect_error(const testing::ProgramResult& result, const Words& parts) {
    using ::testing::HasSubstr;
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_EQ(result.errors.find("internal error"), std::string::npos) << result.errors;
    EXPECT_THAT(result.errors,
                AllOf(HasSubstr("error: "), HasSubstr("expected "), HasSubstr("got ")));
    for (const std::string& part : parts) EXPECT_THAT(result.errors, HasSubstr(part));
  }

 private:
  inline static std::unique_ptr<testing::KittiTree> tree_;
};

}  // namespace dualdepth
