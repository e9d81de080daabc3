#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/io/image.h"
#include "dualdepth/io/zip_file.h"
#include "testing/kitti_tree.h"
#include "testing/narrow_model.h"
#include "testing/program.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::KittiTree;

class Predict : public ::testing::Test {
 protected:
  void SetUp() override {
    tree_.add_frames(2);
    tree_.folder().write("run.yaml", "output_dir: " + path("run") +
                                         "\nthreads: 1\ndata:\n  root: " + tree_.root().string() +
                                         "\n  train_split: " + path("train.txt") +
                                         "\n  image_shape: [32, 64]\n  batch_size: 2\n"
                                         "trainer: {max_steps: 1}\n" +
                                         testing::kNarrowModelYaml);
    const auto trained = testing::run_program(testing::program(), {"train", path("run.yaml")});
    ASSERT_EQ(trained.exit_code, 0) << trained.errors;
  }

  std::string path(const std::string& name) const { return (tree_.root() / name).string(); }

  testing::ProgramResult predict(std::vector<std::string> more) const {
    std::vector<std::string> words{"predict", path("run/checkpoints/last.safetensors"), "--out",
                                   path("out")};
    words.insert(words.end(), more.begin(), more.end());
    return testing::run_program(testing::program(), words);
  }

  KittiTree tree_;
};

TEST_F(Predict, SubmissionHoldsTheSixteenBitPngsByTheirPicturesNames) {
  const auto pictures =
      tree_.root() / "raw" / KittiTree::kDate / KittiTree::kDrive / "image_02/data";
  const auto result = predict({pictures, "--submission", path("answers.zip"), "--format", "npy"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("expects 500 pictures, these are 2"));
  const ZipReader zip(path("answers.zip"));
  EXPECT_THAT(zip.names(), ElementsAre("0000000000.png", "0000000001.png"));
  tree_.folder().write("answer.png", zip.read("0000000001.png", 1 << 20));
  EXPECT_EQ(cv::norm(read_depth_png(path("answer.png")),
                     read_depth_png(path("out/0000000001_depth.png")), cv::NORM_INF),
            0);
}

TEST_F(Predict, PictureOfAnotherNameCannotBeSubmitted) {
  tree_.add_picture("other/street.png");
  const auto result = predict({path("other"), "--submission", path("answers.zip")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("street.png: expected a picture of its own name"),
                                   HasSubstr("got street")));
  EXPECT_FALSE(std::filesystem::exists(path("answers.zip")));
}

TEST_F(Predict, FisheyeCameraMakesPointsOfWhatItSees) {
  tree_.folder().write(
      "vadas.json",
      "[-0.0004, 1.0136, -0.0623, 0.2852, -0.332, 0.1896, -0.0391, 1.0447, 0.0021, "
      "44.9516, 2.48822]");
  tree_.add_picture("fisheye/1.png", 60, {80, 64});
  const auto result = predict({path("fisheye"), "--vadas", path("vadas.json")});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const std::string ply = read_file(path("out/1.ply"));
  // Counted in Python: every 24th column and row of 1920 x 1536 within 876.486 px of
  // (1004.9516, 770.48822).
  EXPECT_THAT(ply, HasSubstr("element vertex 3974\n"));
  EXPECT_EQ(predict({path("fisheye"), "--vadas", path("train.txt")}).exit_code, 2);
}

}  // namespace
}  // namespace dualdepth
