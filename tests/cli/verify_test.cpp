#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dualdepth/io/image.h"
#include "dualdepth/io/npz.h"
#include "testing/kitti_tree.h"
#include "testing/narrow_model.h"
#include "testing/program.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Verify : public ::testing::Test {
 protected:
  void SetUp() override {
    tree_.add_frames(2);
    tree_.folder().write("run.yaml", "output_dir: " + path("run") +
                                         "\nthreads: 1\ndata:\n  root: " + tree_.root().string() +
                                         "\n  train_split: " + path("train.txt") +
                                         "\n  val_split: " + path("train.txt") +
                                         "\n  image_shape: [32, 64]\n  batch_size: 2\n"
                                         "trainer: {max_steps: 1}\n" +
                                         testing::kNarrowModelYaml);
  }

  std::string path(const std::string& name) const { return (tree_.root() / name).string(); }

  testing::ProgramResult run(const std::vector<std::string>& words) const {
    return testing::run_program(testing::program(), words);
  }

  testing::KittiTree tree_;
};

TEST_F(Verify, SavesBothHeadsAndFindsThemInAgreement) {
  ASSERT_EQ(run({"train", path("run.yaml")}).exit_code, 0);
  const auto result =
      run({"verify", path("run/checkpoints/last.safetensors"), "--data", path("run.yaml"),
           "--save-heads", path("heads"), "--json", path("verify.json")});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("they agree"));
  const auto json = nlohmann::json::parse(read_file(path("verify.json")));
  EXPECT_EQ(json["pictures"], 2);
  EXPECT_EQ(json["pixels"], 2 * 32 * 64);
  EXPECT_EQ(json["level_counts"].size(), 256u);
  EXPECT_EQ(json["level_distances"].size(), 256u);
  EXPECT_EQ(json["truth_pixels"], 2 * 16 * 12)
      << "rows four apart do not meet at 2/3 of the height";

  const std::string id = "2011_09_26/2011_09_26_drive_0001_sync/image_02/0000000001";
  const std::string heads = path("heads/" + id);
  EXPECT_THAT(npz_names(heads + ".npz"), ElementsAre("depth", "fraction", "level"));
  const cv::Mat fraction = read_npz(heads + ".npz", "fraction");
  EXPECT_EQ(fraction.size(), cv::Size(64, 32));
  const cv::Mat codes = read_rgb(heads + "_fraction.png");
  EXPECT_EQ(codes.at<cv::Vec3b>(5, 9)[0], cvRound(255 * fraction.at<float>(5, 9)));
  EXPECT_EQ(read_image_size(heads + "_level.png"), cv::Size(64, 32));
}

TEST_F(Verify, RefusesAModelWithOneHead) {
  ASSERT_EQ(run({"train", path("run.yaml"), "model.params.use_dual_head=false"}).exit_code, 0);
  const auto result =
      run({"verify", path("run/checkpoints/last.safetensors"), "--data", path("run.yaml")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors,
              AllOf(HasSubstr("expected a model with two heads"), HasSubstr("got depth: depth")));
}

}  // namespace
}  // namespace dualdepth
