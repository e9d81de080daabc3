#include "dualdepth/runtime/prediction_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"
#include "dualdepth/io/npy.h"
#include "dualdepth/io/npz.h"
#include "testing/picture_tree.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Three samples: lot/1, lot/2, street/1.
class PredictionFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* sample : {"lot/image_a6/1", "lot/image_a6/2", "street/image_a6/1"}) {
      const fs::path picture = sample;
      tree_.add_picture(picture.string() + ".png");
      tree_.add_depth(picture.parent_path().parent_path() / "newest_original_depth_maps" /
                      (picture.filename().string() + ".png"));
    }
    tree_.folder().write("split.json", R"([{"dataset_root": "lot", "new_filename": "1"},
                                           {"dataset_root": "lot", "new_filename": "2"},
                                           {"dataset_root": "street", "new_filename": "1"}])");
    DataOptions options;
    options.dataset = DatasetKind::kNcdb;
    options.root = tree_.root().string();
    options.val_split = (tree_.root() / "split.json").string();
    dataset_ = open_dataset(options, SplitRole::kValidation);
  }

  fs::path folder() const { return tree_.root() / "predictions"; }

  fs::path place(const fs::path& name) const {
    fs::create_directories((folder() / name).parent_path());
    return folder() / name;
  }

  void add(const fs::path& name, float metres) const {
    write_npy(place(name), cv::Mat(2, 3, CV_32FC1, cv::Scalar(metres)));
  }

  std::vector<float> found(std::optional<double> max_depth = {}) const {
    const PredictionFolder predictions(folder(), *dataset_, max_depth);
    std::vector<float> values;
    values.reserve(dataset_->size());
    for (size_t i = 0; i < 3; ++i) values.push_back(predictions.depth(i).at<float>(1, 2));
    return values;
  }

  testing::PictureTree tree_;
  std::unique_ptr<Dataset> dataset_;
};

TEST_F(PredictionFiles, AreFoundByIdByFolderAndByUniqueName) {
  add("lot/1.npy", 1);
  add("2.npy", 2);
  add("street/synced_data/image_a6/1.npy", 3);
  EXPECT_THAT(found(), ::testing::ElementsAre(1, 2, 3));
}

TEST_F(PredictionFiles, NameThatTwoSamplesShareIsRefused) {
  add("1.npy", 1);
  add("2.npy", 2);
  EXPECT_THAT([&] { found(); },
              ThrowsMessage<Error>(AllOf(HasSubstr("expected one prediction for lot/1"),
                                         HasSubstr("1.npy, whose name several samples"),
                                         HasSubstr("name it lot/1.npy"))));
}

TEST_F(PredictionFiles, SeveralFilesThatCouldBeMeantAreRefused) {
  add("lot/1.npy", 1);
  add("a/2.npy", 2);
  add("b/2.npy", 2);
  EXPECT_THAT([&] { found(); },
              ThrowsMessage<Error>(
                  AllOf(HasSubstr("for lot/2"), HasSubstr("a/2.npy"), HasSubstr("b/2.npy"))));
}

TEST_F(PredictionFiles, SampleWithoutAFileIsNamed) {
  add("lot/1.npy", 1);
  EXPECT_THAT([&] { found(); },
              ThrowsMessage<Error>(AllOf(HasSubstr("for lot/2"), HasSubstr("got none"))));
  EXPECT_THAT([&] { PredictionFolder(tree_.root() / "absent", *dataset_, {}); },
              ThrowsMessage<Error>(HasSubstr("absent: expected a folder of predictions")));
}

// 0.2 * 15 + 0.75
TEST_F(PredictionFiles, TwoHeadsAreComposedWithTheGivenMaxDepth) {
  const cv::Mat integer(2, 3, CV_32FC1, cv::Scalar(0.2)), fraction(2, 3, CV_32FC1, cv::Scalar(.75));
  for (const char* name : {"lot/1.npz", "lot/2.npz", "street/1.npz"}) {
    write_npz(place(name), {{"integer_sigmoid", integer}, {"fractional_sigmoid", fraction}});
  }
  EXPECT_NEAR(found(15)[2], 3.75, 1e-6);
  EXPECT_THAT([&] { found(); },
              ThrowsMessage<Error>(AllOf(HasSubstr("lot/1.npz"), HasSubstr("--max-depth"))));
}

TEST_F(PredictionFiles, WrongKeyAndHeadsOfDifferentShapesAreRefused) {
  const cv::Mat small(2, 3, CV_32FC1, cv::Scalar(1)), large(4, 3, CV_32FC1, cv::Scalar(1));
  write_npz(place("lot/1.npz"), {{"disparity", small}});
  write_npz(place("lot/2.npz"), {{"integer_sigmoid", small}, {"fractional_sigmoid", large}});
  add("street/1.npy", 1);
  const PredictionFolder predictions(folder(), *dataset_, 15);
  EXPECT_THAT([&] { predictions.depth(0); },
              ThrowsMessage<Error>(AllOf(HasSubstr("lot/1.npz: expected the array depth"),
                                         HasSubstr("got disparity"))));
  EXPECT_THAT(
      [&] { predictions.depth(1); },
      ThrowsMessage<Error>(AllOf(HasSubstr("fractional_sigmoid of 2x3"), HasSubstr("got 4x3"))));
}

}  // namespace
}  // namespace dualdepth
