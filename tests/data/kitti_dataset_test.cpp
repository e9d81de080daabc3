#include "dualdepth/data/kitti_dataset.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "dualdepth/base/error.h"
#include "testing/kitti_tree.h"
#include "testing/shared_data.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::KittiTree;
using ::testing::ThrowsMessage;

const std::string kDrivePath = std::string(KittiTree::kDate) + "/" + KittiTree::kDrive;

class KittiFiles : public ::testing::Test {
 protected:
  void write_split(const std::string& text) const { tree_.folder().write("train.txt", text); }

  std::unique_ptr<Dataset> open(const DataOptions& options) const {
    return open_dataset(options, SplitRole::kTrain);
  }
  std::unique_ptr<Dataset> open() const { return open(tree_.options()); }

  KittiTree tree_;
};

// Where people keep annotated depth, as seen from the folder that holds raw/.
class KittiDepthPlaces : public KittiFiles, public ::testing::WithParamInterface<const char*> {};

TEST_P(KittiDepthPlaces, AnnotatedDepthIsFound) {
  tree_.add_picture("raw/" + KittiTree::raw_picture(5));
  tree_.add_depth(GetParam() + KittiTree::drive_depth(5), 12.5F);
  write_split(kDrivePath + " 5 l\n");
  for (const char* root : {".", "raw"}) {
    DataOptions options = tree_.options();
    options.root = (tree_.root() / root).lexically_normal().string();
    const Sample sample = open(options)->load(0);
    EXPECT_EQ(sample.depth.at<float>(2, 1), 12.5F) << root;
    EXPECT_EQ(sample.depth.at<float>(0, 0), 0.0F) << root;
  }
}

INSTANTIATE_TEST_SUITE_P(All, KittiDepthPlaces,
                         ::testing::Values("depth/train/", "depth/val/", "depth/",
                                           "data_depth_annotated/val/", "train/", "val/",
                                           "raw/2011_09_26/"));

TEST_F(KittiFiles, DepthRootIsSearchedAloneWhenItIsGiven) {
  tree_.add_picture(KittiTree::raw_picture(5));
  tree_.add_depth("depth/train/" + KittiTree::drive_depth(5), 10);
  tree_.add_depth("elsewhere/val/" + KittiTree::drive_depth(5), 20);
  write_split(kDrivePath + " 5 l\n");
  DataOptions options = tree_.options();
  options.depth_root = (tree_.root() / "elsewhere").string();
  EXPECT_EQ(open(options)->load(0).depth.at<float>(2, 1), 20.0F);
}

TEST_F(KittiFiles, AllThreeKindsOfLineLeadToTheSameSample) {
  tree_.add_picture("raw/" + KittiTree::raw_picture(5));
  tree_.add_depth("depth/train/" + KittiTree::drive_depth(5));
  for (const std::string& line :
       {kDrivePath + " 5 l", KittiTree::raw_picture(5) + " " + KittiTree::drive_depth(5) + " 721.5",
        KittiTree::raw_picture(5), "raw/" + KittiTree::raw_picture(5)}) {
    write_split(line + "\n");
    const auto dataset = open();
    EXPECT_EQ(dataset->id(0), kDrivePath + "/image_02/0000000005") << line;
    const Sample sample = dataset->load(0);
    EXPECT_EQ(sample.id, dataset->id(0));
    EXPECT_EQ(sample.rgb.at<cv::Vec3b>(3, 7), cv::Vec3b(67, 63, 60)) << line;
    EXPECT_EQ(cv::countNonZero(sample.depth), 16 * 12) << line;
  }
}

TEST_F(KittiFiles, JpegIsReadWhereThereIsNoPng) {
  tree_.add_picture(KittiTree::raw_picture(5, ".jpg"));
  tree_.add_depth("depth/train/" + KittiTree::drive_depth(5));
  for (const std::string& line :
       {kDrivePath + " 5 l",
        KittiTree::raw_picture(5, ".png") + " " + KittiTree::drive_depth(5) + " 1",
        KittiTree::raw_picture(5, ".png")}) {
    write_split(line + "\n");
    EXPECT_EQ(open()->load(0).rgb.size(), cv::Size(64, 48)) << line;
  }
}

TEST_F(KittiFiles, LeftAndRightCameraHaveTheirOwnFilesAndIds) {
  for (const int camera : {2, 3}) {
    tree_.add_picture(KittiTree::raw_picture(5, ".png", camera), 50 * camera);
    tree_.add_depth("train/" + KittiTree::drive_depth(5, camera), static_cast<float>(camera));
  }
  write_split(kDrivePath + " 5 l\n" + kDrivePath + " 5 r\n");
  const auto dataset = open();
  EXPECT_EQ(dataset->id(1), kDrivePath + "/image_03/0000000005");
  EXPECT_EQ(dataset->load(0).depth.at<float>(2, 1), 2.0F);
  EXPECT_EQ(dataset->load(1).depth.at<float>(2, 1), 3.0F);
  EXPECT_EQ(dataset->load(1).rgb.at<cv::Vec3b>(0, 0), cv::Vec3b(150, 150, 150));
}

TEST_F(KittiFiles, NoneInABtsLineIsASampleWithoutGroundTruth) {
  tree_.add_picture(KittiTree::raw_picture(5));
  write_split(KittiTree::raw_picture(5) + " None 721.5377\n");
  EXPECT_TRUE(open()->load(0).depth.empty());
}

TEST_F(KittiFiles, IntrinsicsAreReadWhereTheCalibrationLies) {
  tree_.add_frames(1);
  EXPECT_FALSE(open()->load(0).intrinsics);
  tree_.folder().write("raw/2011_09_26/calib_cam_to_cam.txt",
                       "P_rect_02: 700 0 600 40 0 701 170 0.2 0 0 1 0.003\n");
  const auto intrinsics = open()->load(0).intrinsics;
  ASSERT_TRUE(intrinsics);
  EXPECT_EQ(intrinsics->fx, 700);
  EXPECT_EQ(intrinsics->fy, 701);
  EXPECT_EQ(intrinsics->cx, 600);
  EXPECT_EQ(intrinsics->cy, 170);
}

TEST_F(KittiFiles, SelectionFolderNeedsNoSplit) {
  const std::string folder = "val_selection_cropped/";
  const std::string drive = "2011_09_26_drive_0002_sync_";
  for (const std::string end : {"0000000008_image_03", "0000000005_image_02"}) {
    tree_.add_picture(fmt::format("{}image/{}image_{}.png", folder, drive, end));
    tree_.add_depth(
        fmt::format("{}groundtruth_depth/{}groundtruth_depth_{}.png", folder, drive, end));
  }
  tree_.folder().write(fmt::format("{}intrinsics/{}image_0000000005_image_02.txt", folder, drive),
                       "7.0e2 0 6.0e2 0 7.1e2 1.7e2 0 0 1");
  DataOptions options;
  options.root = (tree_.root() / "val_selection_cropped").string();
  const auto dataset = open_dataset(options, SplitRole::kValidation);
  ASSERT_EQ(dataset->size(), 2);
  EXPECT_EQ(dataset->id(0), "2011_09_26/2011_09_26_drive_0002_sync/image_02/0000000005");
  EXPECT_EQ(dataset->id(1), "2011_09_26/2011_09_26_drive_0002_sync/image_03/0000000008");
  const Sample sample = dataset->load(0);
  EXPECT_EQ(sample.depth.at<float>(2, 1), 10.0F);
  EXPECT_EQ(sample.intrinsics->fy, 710);
  EXPECT_FALSE(dataset->load(1).intrinsics);
}

TEST_F(KittiFiles, AnonymousTestFolderHasPicturesAlone) {
  tree_.add_picture("test_depth_prediction_anonymous/image/0000000000.png");
  tree_.add_picture("test_depth_prediction_anonymous/image/0000000001.png");
  DataOptions options;
  options.root = (tree_.root() / "test_depth_prediction_anonymous").string();
  const auto dataset = open_dataset(options, SplitRole::kValidation);
  ASSERT_EQ(dataset->size(), 2);
  EXPECT_EQ(dataset->id(1), "image/0000000001");
  EXPECT_TRUE(dataset->load(1).depth.empty());
}

TEST_F(KittiFiles, MissingFileIsAnErrorThatNamesLineAndPath) {
  tree_.add_frames(1);
  write_split(kDrivePath + " 0 l\n" + kDrivePath + " 7 l\n" + kDrivePath + " 8 l\n");
  EXPECT_THAT([&] { open(); },
              ThrowsMessage<Error>(AllOf(HasSubstr("train.txt:2: expected picture"),
                                         HasSubstr("image_02/data/0000000007.png"),
                                         HasSubstr("2 of 3 entries lack a file"))));
  tree_.add_picture("raw/" + KittiTree::raw_picture(7));
  EXPECT_THAT([&] { open(); },
              ThrowsMessage<Error>(AllOf(HasSubstr("train.txt:2: expected depth"),
                                         HasSubstr("groundtruth/image_02/0000000007.png"))));
}

TEST_F(KittiFiles, SkippedSamplesAreLeftOutAndListed) {
  tree_.add_frames(1);
  write_split(kDrivePath + " 7 l\n" + kDrivePath + " 0 l\n" + kDrivePath + " 8 l\n");
  DataOptions options = tree_.options();
  options.missing = MissingPolicy::kSkip;
  const auto dataset = open(options);
  EXPECT_EQ(dataset->size(), 1);
  EXPECT_EQ(dataset->id(0), kDrivePath + "/image_02/0000000000");
  EXPECT_THAT(dataset->missing(),
              ElementsAre(HasSubstr("train.txt:1: picture"), HasSubstr("train.txt:3: picture")));
}

TEST_F(KittiFiles, NoSampleLeftIsAnErrorEvenWhenSkipping) {
  write_split(kDrivePath + " 7 l\n");
  DataOptions options = tree_.options();
  options.missing = MissingPolicy::kSkip;
  EXPECT_THAT([&] { open(options); },
              ThrowsMessage<Error>(HasSubstr("train.txt: expected at least one sample")));
}

TEST_F(KittiFiles, DepthOfAnotherSizeThanThePictureNamesBoth) {
  tree_.add_frames(1);
  tree_.add_depth("depth/train/" + KittiTree::drive_depth(0), 10, {60, 48});
  const auto dataset = open();
  const auto names_both =
      ThrowsMessage<Error>(AllOf(HasSubstr("groundtruth/image_02/0000000000.png: expected 64x48"),
                                 HasSubstr("data/0000000000.png"), HasSubstr("got 60x48")));
  EXPECT_THAT([&] { dataset->load(0); }, names_both);
  EXPECT_THAT([&] { dataset->load_reduced(0, {32, 32}); }, names_both);
}

TEST_F(KittiFiles, RootThatIsNoFolderIsAnError) {
  tree_.add_frames(1);
  DataOptions options = tree_.options();
  options.root = (tree_.root() / "absent").string();
  EXPECT_THAT([&] { open(options); }, ThrowsMessage<Error>(HasSubstr("absent: expected")));
  options.root.clear();
  EXPECT_THAT([&] { open(options); }, ThrowsMessage<Error>(HasSubstr("data.root")));
}

TEST_F(KittiFiles, NeitherSplitNorBenchmarkFolderIsAnError) {
  DataOptions options = tree_.options();
  options.train_split.clear();
  EXPECT_THAT([&] { open(options); }, ThrowsMessage<Error>(HasSubstr("data.train_split")));
}

class KittiMini : public ::testing::Test {
 protected:
  void SetUp() override { DUALDEPTH_NEEDS_SHARED("kitti_mini"); }

  static DataOptions options(const std::string& root = "kitti_mini") {
    DataOptions options;
    options.root = testing::shared_path(root).string();
    options.train_split = testing::shared_path("kitti_mini/splits/train.txt").string();
    options.val_split = testing::shared_path("kitti_mini/splits/val.txt").string();
    return options;
  }
};

TEST_F(KittiMini, OpensFromEitherRootWithUniqueIds) {
  for (const char* root : {"kitti_mini", "kitti_mini/raw"}) {
    const auto train = open_dataset(options(root), SplitRole::kTrain);
    const auto val = open_dataset(options(root), SplitRole::kValidation);
    EXPECT_EQ(train->size(), 105);  // lines of the split files
    EXPECT_EQ(val->size(), 19);
    std::set<std::string> ids;
    for (size_t i = 0; i < train->size(); ++i) ids.insert(train->id(i));
    for (size_t i = 0; i < val->size(); ++i) ids.insert(val->id(i));
    EXPECT_EQ(ids.size(), 124);
  }
}

TEST_F(KittiMini, SampleHasPictureDepthAndIntrinsics) {
  const auto dataset = open_dataset(options(), SplitRole::kTrain);
  const Sample sample = dataset->load(0);
  EXPECT_EQ(sample.id, "2011_09_26/2011_09_26_drive_0001_sync/image_02/0000000005");
  EXPECT_EQ(sample.rgb.size(), cv::Size(1242, 375));
  EXPECT_EQ(sample.depth.size(), cv::Size(1242, 375));
  EXPECT_EQ(cv::countNonZero(sample.depth), 90839);   // data_golden.py
  EXPECT_DOUBLE_EQ(sample.intrinsics->fx, 721.5377);  // P_rect_02 in calib_cam_to_cam.txt
  EXPECT_DOUBLE_EQ(sample.intrinsics->cx, 609.5593);
}

TEST_F(KittiMini, VelodyneGroundTruthComesFromTheSweepOfTheFrame) {
  testing::TempFolder folder;
  DataOptions velodyne = options();
  velodyne.train_split =
      folder.write("split.txt", "2011_09_26/2011_09_26_drive_0005_sync 0 l\n").string();
  velodyne.ground_truth = GroundTruthKind::kVelodyne;
  const auto official = open_dataset(velodyne, SplitRole::kTrain);
  EXPECT_EQ(cv::countNonZero(official->load(0).depth), 20387);  // data_golden.py
  EXPECT_EQ(official->files(0).size(), 4);  // picture, sweep, two calibration files
  velodyne.projection = ProjectionKind::kEigen;
  const auto eigen = open_dataset(velodyne, SplitRole::kTrain);
  EXPECT_EQ(cv::countNonZero(eigen->load(0).depth), 20440);
}

TEST_F(KittiMini, ReducedDecodingKeepsGroundTruthAtFullSize) {
  const auto dataset = open_dataset(options(), SplitRole::kTrain);
  const Sample full = dataset->load(0);
  const Sample reduced = dataset->load_reduced(0, {320, 96});
  EXPECT_LT(reduced.rgb.cols, 640);
  EXPECT_GE(reduced.rgb.cols, 320);
  EXPECT_GE(reduced.rgb.rows, 96);
  EXPECT_EQ(cv::norm(full.depth, reduced.depth, cv::NORM_INF), 0);
}

}  // namespace
}  // namespace dualdepth
