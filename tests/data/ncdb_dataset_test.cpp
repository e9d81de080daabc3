#include "dualdepth/data/ncdb_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"
#include "testing/picture_tree.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class NcdbFiles : public ::testing::Test {
 protected:
  void write_split(const std::string& json) const { tree_.folder().write("split.json", json); }

  DataOptions options() const {
    DataOptions options;
    options.dataset = DatasetKind::kNcdb;
    options.root = tree_.root().string();
    options.train_split = (tree_.root() / "split.json").string();
    return options;
  }

  std::unique_ptr<Dataset> open(const DataOptions& options) const {
    return open_dataset(options, SplitRole::kTrain);
  }
  std::unique_ptr<Dataset> open() const { return open(options()); }

  // Picture and original depth of a sample.
  void add_sample(const std::string& data, const std::string& stem, float metres = 10,
                  const std::string& extension = ".png") const {
    tree_.add_picture(data + "/image_a6/" + stem + extension);
    tree_.add_depth(data + "/newest_original_depth_maps/" + stem + ".png", metres);
  }

  testing::PictureTree tree_;
};

TEST_F(NcdbFiles, BothKindsOfEntryLeadToTheSameSample) {
  add_sample("day/lot", "0007");
  for (const char* split : {R"([{"dataset_root": "day/lot", "new_filename": "0007"}])",
                            R"([{"dataset_root": "day/lot/", "new_filename": "0007", "label": 3}])",
                            R"([{"image_path": "day/lot/image_a6/0007.png"}])",
                            R"([{"image_path": "./day/lot/image_a6/0007.jpg"}])"}) {
    SCOPED_TRACE(split);
    write_split(split);
    const auto dataset = open();
    ASSERT_EQ(dataset->size(), 1u);
    EXPECT_EQ(dataset->id(0), "day/lot/0007");
    const Sample sample = dataset->load(0);
    EXPECT_EQ(sample.rgb.at<cv::Vec3b>(3, 7), cv::Vec3b(67, 63, 60));
    EXPECT_EQ(sample.depth.at<float>(2, 1), 10);
    EXPECT_TRUE(sample.valid_mask.empty());
  }
}

TEST_F(NcdbFiles, SyncedDataMayStandBetweenAndStemsRepeatAcrossSequences) {
  add_sample("lot", "0007", 3);
  add_sample("street/synced_data", "0007", 8, ".jpg");
  write_split(R"([{"dataset_root": "lot", "new_filename": "0007"},
                  {"dataset_root": "street", "new_filename": "0007"},
                  {"image_path": "street/synced_data/image_a6/0007.jpg"}])");
  const auto dataset = open();
  EXPECT_EQ(dataset->id(0), "lot/0007");
  EXPECT_EQ(dataset->id(1), "street/0007");
  EXPECT_EQ(dataset->id(2), "street/0007");
  EXPECT_EQ(dataset->load(0).depth.at<float>(2, 1), 3);
  EXPECT_EQ(dataset->load(1).depth.at<float>(2, 1), 8);
}

TEST_F(NcdbFiles, DepthTypeChoosesTheFolderAndDepthFolderOverridesIt) {
  tree_.add_picture("lot/image_a6/1.png");
  tree_.add_depth("lot/newest_depth_maps/1.png", 1);
  tree_.add_depth("lot/newest_original_depth_maps/1.png", 2);
  tree_.add_depth("lot/newest_distance_maps/1.png", 3);
  tree_.add_depth("lot/newest_original_distance_maps/1.png", 4);
  tree_.add_depth("lot/mine/1.png", 5);
  write_split(R"([{"dataset_root": "lot", "new_filename": "1"}])");
  DataOptions options = this->options();
  std::vector<float> values;
  for (const DepthType type : {DepthType::kDepth, DepthType::kDepthOriginal, DepthType::kDistance,
                               DepthType::kDistanceOriginal}) {
    options.depth_type = type;
    values.push_back(open(options)->load(0).depth.at<float>(2, 1));
  }
  options.depth_folder = "mine";
  values.push_back(open(options)->load(0).depth.at<float>(2, 1));
  EXPECT_THAT(values, ElementsAre(1, 2, 3, 4, 5));
}

// The largest value lies below 255 units: still metres * 256.
TEST_F(NcdbFiles, DepthIsAlwaysIn256thsOfAMetre) {
  add_sample("lot", "1", 0.75F);
  write_split(R"([{"dataset_root": "lot", "new_filename": "1"}])");
  double largest = 0;
  cv::minMaxLoc(open()->load(0).depth, nullptr, &largest);
  EXPECT_EQ(largest, 0.75);
}

TEST_F(NcdbFiles, MaskOfTheSequenceComesBeforeThatOfTheRoot) {
  add_sample("lot", "1");
  add_sample("street/synced_data", "1");
  cv::Mat left(48, 64, CV_8UC1, cv::Scalar(0));
  left.colRange(0, 10).setTo(1);
  cv::Mat right(48, 64, CV_8UC1, cv::Scalar(255));
  right.colRange(0, 10).setTo(0);
  write_rgb(tree_.root() / "binary_mask.png", left);
  write_rgb(tree_.root() / "street/binary_mask.png", right);
  write_split(R"([{"dataset_root": "lot", "new_filename": "1"},
                  {"dataset_root": "street", "new_filename": "1"}])");
  EXPECT_TRUE(open()->load(0).valid_mask.empty()) << "without data.use_mask";
  DataOptions options = this->options();
  options.use_mask = true;
  const auto dataset = open(options);
  EXPECT_EQ(cv::countNonZero(dataset->load(0).valid_mask), 48 * 10);
  EXPECT_EQ(cv::countNonZero(dataset->load_reduced(1, {32, 24}).valid_mask), 48 * 54);
  EXPECT_EQ(dataset->files(1).size(), 3u) << "a changed mask must not be served from a cache";
}

TEST_F(NcdbFiles, ClassMasksAreTheInstancesOfThisStemAlone) {
  add_sample("lot/synced_data", "1");
  const std::string classes = "lot/synced_data/segmentation_results/class_masks/";
  for (const char* name : {"car/1_0", "car/1_12", "car/11_0", "car/1_0_old", "wall/1_1"}) {
    tree_.add_picture(classes + name + ".png");
  }
  write_split(R"([{"dataset_root": "lot", "new_filename": "1"}])");
  std::vector<std::string> found;
  for (const ClassMask& mask : open()->load_class_masks(0)) {
    found.push_back(mask.name + " " + mask.file.stem().string());
    EXPECT_EQ(mask.mask.size(), cv::Size(64, 48));
  }
  EXPECT_THAT(found, ElementsAre("car 1_0", "car 1_12", "wall 1_1"));
}

TEST_F(NcdbFiles, MissingFilesAreAnErrorOrLeftOutByName) {
  add_sample("lot", "1");
  tree_.add_picture("lot/image_a6/2.png");
  write_split(R"([{"dataset_root": "lot", "new_filename": "1"},
                  {"dataset_root": "lot", "new_filename": "2"},
                  {"dataset_root": "lot", "new_filename": "3"}])");
  EXPECT_THAT([&] { open(); },
              ThrowsMessage<Error>(AllOf(HasSubstr("split.json: entry 1"),
                                         HasSubstr("lot/newest_original_depth_maps/2.png"),
                                         HasSubstr("2 of 3 entries"))));
  DataOptions options = this->options();
  options.missing = MissingPolicy::kSkip;
  EXPECT_EQ(open(options)->size(), 1u);
  EXPECT_EQ(open(options)->missing().size(), 2u);
}

TEST_F(NcdbFiles, MaskOfAnotherSizeIsAnErrorNeverResized) {
  add_sample("lot", "1");
  tree_.add_picture("lot/binary_mask.png", 60, {32, 48});
  write_split(R"([{"dataset_root": "lot", "new_filename": "1"}])");
  DataOptions options = this->options();
  options.use_mask = true;
  const auto dataset = open(options);
  EXPECT_THAT([&] { dataset->load(0); },
              ThrowsMessage<Error>(AllOf(HasSubstr("binary_mask.png: expected 64x48 pixels"),
                                         HasSubstr("got 32x48"))));
}

TEST_F(NcdbFiles, DepthOfAnotherSizeIsAnError) {
  tree_.add_picture("lot/image_a6/1.png");
  tree_.add_depth("lot/newest_original_depth_maps/1.png", 5, {128, 96});
  write_split(R"([{"dataset_root": "lot", "new_filename": "1"}])");
  EXPECT_THAT(
      [&] { open()->load(0); },
      ThrowsMessage<Error>(AllOf(HasSubstr("1.png: expected 64x48"), HasSubstr("got 128x96"))));
}

TEST_F(NcdbFiles, EmptyPictureIsAnErrorThatNamesIt) {
  add_sample("lot", "1");
  tree_.folder().write("lot/image_a6/1.png", "");
  write_split(R"([{"dataset_root": "lot", "new_filename": "1"}])");
  EXPECT_THAT([&] { open()->load(0); }, ThrowsMessage<Error>(HasSubstr("lot/image_a6/1.png")));
}

TEST_F(NcdbFiles, RootThatIsNotThereIsNamed) {
  DataOptions options = this->options();
  options.root = "/nowhere/ncdb";
  EXPECT_THAT([&] { open(options); }, ThrowsMessage<Error>(HasSubstr("/nowhere/ncdb")));
}

struct BadSplit {
  const char* json;
  const char* expected;
  const char* got;
};

void PrintTo(const BadSplit& value, std::ostream* out) { *out << value.json; }

class NcdbSplit : public NcdbFiles, public ::testing::WithParamInterface<BadSplit> {};

TEST_P(NcdbSplit, FaultIsNamedWithItsEntry) {
  add_sample("lot", "1");
  write_split(GetParam().json);
  EXPECT_THAT([&] { open(); },
              ThrowsMessage<Error>(AllOf(HasSubstr("split.json"), HasSubstr(GetParam().expected),
                                         HasSubstr(GetParam().got))));
}

INSTANTIATE_TEST_SUITE_P(
    Faults, NcdbSplit,
    ::testing::Values(
        BadSplit{"not json", "a JSON list", "no JSON"}, BadSplit{"", "a JSON list", "no JSON"},
        BadSplit{R"({"dataset_root": "lot"})", "a JSON list", "no list but object"},
        BadSplit{"[]", "a JSON list", "an empty list"},
        BadSplit{R"([{"image_path": "lot/image_a6/1.png"}, {"file": "x"}])",
                 "entry 1: expected {\"dataset_root\"", R"(got {"file":"x"})"},
        BadSplit{R"([{"dataset_root": "lot"}])", "entry 0", R"({"dataset_root":"lot"})"},
        BadSplit{R"([7])", "entry 0", "got 7"},
        BadSplit{R"([{"dataset_root": "lot", "new_filename": 1}])", "text as new_filename",
                 "got 1"},
        BadSplit{R"([{"image_path": "../elsewhere/1.png"}])", "inside data.root", "../elsewhere"},
        BadSplit{R"([{"image_path": "lot/../../1.png"}])", "inside data.root", "lot/../../1.png"},
        BadSplit{R"([{"image_path": "/etc/1.png"}])", "inside data.root", "/etc/1.png"},
        BadSplit{R"([{"dataset_root": "../..", "new_filename": "1"}])", "inside data.root", ".."},
        BadSplit{R"([{"dataset_root": "lot", "new_filename": "../1"}])", "inside data.root", ".."},
        BadSplit{R"([{"dataset_root": "lot", "new_filename": "a/1"}])", "without folders", "a/1"}));

}  // namespace
}  // namespace dualdepth
