// The HTML pages that the program writes, opened in a real browser without a screen.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "cli/browser.h"
#include "testing/kitti_tree.h"
#include "testing/narrow_model.h"
#include "testing/program.h"

namespace dualdepth {
namespace {

using ::testing::MatchesRegex;

// Pages of one training run.
class ReportPages : public Browser {
 protected:
  static void SetUpTestSuite() {
    if (testing::build_path("chromium").empty()) return;
    tree_ = std::make_unique<testing::KittiTree>();
    tree_->add_frames(4);
    tree_->folder().write("run.yaml", "output_dir: " + path("run") +
                                          "\nthreads: 1\ndata:\n  root: " + tree_->root().string() +
                                          "\n  train_split: " + path("train.txt") +
                                          "\n  val_split: " + path("train.txt") +
                                          "\n  image_shape: [32, 64]\n  batch_size: 2\n"
                                          "trainer: {max_steps: 4, log_every: 1}\n"
                                          "evaluation: {protocol: benchmark}\n" +
                                          testing::kNarrowModelYaml);
    run({"train", path("run.yaml")});
  }
  static void TearDownTestSuite() { tree_.reset(); }

  static std::string path(const std::string& name) { return (tree_->root() / name).string(); }

  static void run(const std::vector<std::string>& words) {
    const auto result = testing::run_program(testing::program(), words);
    ASSERT_EQ(result.exit_code, 0) << result.errors;
  }

 private:
  inline static std::unique_ptr<testing::KittiTree> tree_;
};

TEST_F(ReportPages, OfATrainingRunHasItsCurvesAndPictures) {
  // One picture of panels for each of two validations.
  expect_fine("training", path("run/report.html"), "2 pictures and 9 plots");
}

TEST_F(ReportPages, OfAnEvaluationHasItsPlotsAndPictures) {
  run({"eval", path("run/checkpoints/last.safetensors"), "--data", path("run.yaml"), "--html",
       path("eval.html")});
  // Four of each of four samples, all of them among the best five, the scale, and the density.
  expect_fine("evaluation", path("eval.html"), "18 pictures and 3 plots");
}

TEST_F(ReportPages, OfAComparisonHasThePicturesOfBoth) {
  run({"compare", path("run/checkpoints/last.safetensors"),
       path("run/checkpoints/best.safetensors"), "--data", path("run.yaml"), "--html",
       path("compare.html"), "--pictures", "2"});
  // Picture, truth, depth and error of both and their difference, of two samples; three scales.
  expect_fine("comparison", path("compare.html"), "17 pictures and 1 plots");
}

TEST_F(ReportPages, OfAQuantizationPlotsItsLayers) {
  run({"quantize",
       path("run/checkpoints/last.safetensors"),
       "--calibration",
       path("raw"),
       "--out",
       path("int8.onnx"),
       "--without",
       "adaptive-rounding",
       "--without",
       "bias-correction",
       "--without",
       "centring",
       "--without",
       "equalization",
       "--profile",
       "tensorrt",
       "--pictures",
       "1",
       "--diagnose",
       "--html",
       path("quantize.html")});
  expect_fine("quantization", path("quantize.html"), "0 pictures and 2 plots");
}

// So that "fine" above means something.
TEST_F(Browser, FindsTheFaultsOfAPage) {
  const auto page = [&](const std::string& name, const std::string& body) -> Screen {
    return {checked(name, "<html><head></head><body>" + body + "</body></html>"), 390};
  };
  EXPECT_THAT(check({page("picture", "<img src=\"data:image/jpeg;base64,AAAA\">"),
                     page("error", "<script>throw new Error('broken')</script>"),
                     page("console", "<script>console.error('told')</script>"),
                     page("wide", "<div style=\"width:600px\">wide</div>"), page("fine", "fine")}),
              MatchesRegex("checked 1 pictures and 0 plots: picture without pixels \\| "
                           "[^|]*error [^|]*broken[^|]* \\| [^|]*console told[^|]* \\| "
                           "[^|]*is 6[0-9]+ wide on a screen of 390 \\| [^|]*: fine"));
}

}  // namespace
}  // namespace dualdepth
