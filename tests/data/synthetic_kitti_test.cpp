#include "dualdepth/data/synthetic_kitti.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/data/synthetic_rig.h"
#include "dualdepth/data/synthetic_road.h"
#include "dualdepth/io/image.h"
#include "dualdepth/io/kitti_calibration.h"
#include "dualdepth/io/velodyne.h"
#include "testing/folder_contents.h"
#include "testing/temp_folder.h"

namespace dualdepth::synthetic {
namespace {

namespace fs = std::filesystem;
using dualdepth::testing::folder_contents;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const cv::Size kSize(208, 64);
constexpr uint64_t kSeed = 4;
constexpr int kFrames = 14;  // two drives of seven

SyntheticSetOptions options_for(const fs::path& out) {
  return {.out = out, .frames = kFrames, .seed = kSeed, .size = kSize, .threads = 2};
}

const char* drive_name(int drive) {
  return drive == 0 ? "2026_01_01_drive_0001_sync" : "2026_01_01_drive_0002_sync";
}

fs::path depth_file(const fs::path& root, int drive, const std::string& stem) {
  return root / (drive == 0 ? "train" : "val") / drive_name(drive) /
         "proj_depth/groundtruth/image_02" / (stem + ".png");
}

fs::path raw_folder(const fs::path& set, int drive) {
  return set / "raw/2026_01_01" / drive_name(drive);
}

class SyntheticKitti : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new dualdepth::testing::TempFolder;
    summary_ = synthesize_kitti(options_for(folder_->path() / "set"));
  }
  static void TearDownTestSuite() { delete folder_; }

  static fs::path set() { return *folder_ / "set"; }

  static Camera camera(int drive, int frame) {
    const KittiRig rig(kSize);
    return pinhole_camera(rig.intrinsics(), kSize, RoadDrive(kSeed, drive, 7).camera_pose(frame));
  }

  static dualdepth::testing::TempFolder* folder_;
  static std::optional<SyntheticSetSummary> summary_;
};

dualdepth::testing::TempFolder* SyntheticKitti::folder_ = nullptr;
std::optional<SyntheticSetSummary> SyntheticKitti::summary_;

TEST_F(SyntheticKitti, HoldsADriveOutForValidation) {
  ASSERT_TRUE(summary_);
  EXPECT_EQ(summary_->sequences, 2);
  EXPECT_EQ(summary_->train_frames, 7);
  EXPECT_EQ(summary_->val_frames, 7);
  const std::string first = "2026_01_01/2026_01_01_drive_0001_sync 0000000005 l\n";
  EXPECT_TRUE(read_file(set() / "splits/train.txt").starts_with(first));
  EXPECT_THAT(
      read_file(set() / "splits/val.txt"),
      AllOf(HasSubstr("drive_0002_sync 0000000011 l\n"), ::testing::Not(HasSubstr("drive_0001"))));
}

TEST_F(SyntheticKitti, EveryLineOfTheSplitsHasItsFiles) {
  int lines = 0;
  for (const std::string split : {"train", "val"}) {
    std::istringstream stream(read_file(set() / "splits" / (split + ".txt")));
    std::string drive;
    std::string stem;
    std::string side;
    while (stream >> drive >> stem >> side) {
      ++lines;
      const fs::path raw = set() / "raw" / drive;
      EXPECT_EQ(read_rgb(raw / "image_02/data" / (stem + ".jpg")).size(), kSize);
      EXPECT_FALSE(read_velodyne(raw / "velodyne_points/data" / (stem + ".bin")).empty());
      for (const char* kind : {"depth", "depth_dense"}) {
        const fs::path depth = set() / kind / split / fs::path(drive).filename();
        EXPECT_EQ(
            read_depth_png(depth / "proj_depth/groundtruth/image_02" / (stem + ".png")).size(),
            kSize);
      }
    }
  }
  EXPECT_EQ(lines, kFrames);
}

TEST_F(SyntheticKitti, DensePngHoldsTheDepthOfEachPixelsCentre) {
  const cv::Mat1f dense = read_depth_png(depth_file(set() / "depth_dense", 1, "0000000008"));
  const Scene scene = RoadDrive(kSeed, 1, 7).scene(3);
  const Camera view = camera(1, 3);
  for (int v = 0; v < kSize.height; ++v) {
    for (int u = 0; u < kSize.width; ++u) {
      const double exact = depth_at(scene, view, u, v);
      ASSERT_NEAR(dense(v, u), exact <= 255 ? exact : 0, 1.0 / 512 + 1e-5) << u << ", " << v;
    }
  }
}

TEST_F(SyntheticKitti, SparsePngIsADenseOneSeenByALidar) {
  const cv::Mat1f dense = read_depth_png(depth_file(set() / "depth_dense", 0, "0000000005"));
  const cv::Mat1f sparse = read_depth_png(depth_file(set() / "depth", 0, "0000000005"));
  int pixels = 0;
  for (int v = 0; v < kSize.height; ++v) {
    for (int u = 0; u < kSize.width; ++u) {
      if (sparse(v, u) == 0) continue;
      ++pixels;
      ASSERT_EQ(sparse(v, u), dense(v, u));
      ASSERT_LE(sparse(v, u), 80);
      ASSERT_GT(v, kSize.height / 4) << "above the highest beam";
    }
  }
  const double density = static_cast<double>(pixels) / kSize.area();
  EXPECT_GT(density, 0.05);
  EXPECT_LT(density, 0.2);
}

// KITTI's devkit: u = P_rect R_rect Tr v. Each point must lie on what the camera sees along its own
// ray, or behind it where a nearer thing hides the point from the camera.
TEST_F(SyntheticKitti, SweepProjectedThroughTheCalibrationMeetsTheScene) {
  const KittiCamera calibration = read_kitti_camera(set() / "raw/2026_01_01", 2);
  EXPECT_EQ(calibration.size, kSize);
  const Scene scene = RoadDrive(kSeed, 0, 7).scene(6);
  const Camera view = camera(0, 6);
  int on_surface = 0;
  int hidden = 0;
  int seen = 0;
  for (const cv::Vec4f& p :
       read_velodyne(raw_folder(set(), 0) / "velodyne_points/data/0000000011.bin")) {
    const cv::Vec3d image =
        calibration.projection * (calibration.velodyne_to_rect * cv::Vec4d(p[0], p[1], p[2], 1));
    const double u = image[0] / image[2];
    const double v = image[1] / image[2];
    if (u < 0 || v < 0 || u > kSize.width - 1 || v > kSize.height - 1) continue;
    ++seen;
    const double depth = depth_at(scene, view, u, v);
    if (std::abs(depth - image[2]) < 1e-3) ++on_surface;
    if (depth < image[2] - 1e-3) ++hidden;
  }
  EXPECT_GT(seen, 1000);
  EXPECT_EQ(on_surface + hidden, seen);
  EXPECT_LT(hidden, seen / 10);
}

TEST_F(SyntheticKitti, BytesDoNotDependOnThreads) {
  SyntheticSetOptions options = options_for(*folder_ / "again");
  options.threads = 3;
  ASSERT_TRUE(synthesize_kitti(options));
  EXPECT_TRUE(folder_contents(options.out) == folder_contents(set()));
}

TEST_F(SyntheticKitti, AnotherSeedShowsOtherStreets) {
  SyntheticSetOptions options = options_for(*folder_ / "other");
  options.frames = 2;
  options.seed = kSeed + 1;
  ASSERT_TRUE(synthesize_kitti(options));
  const fs::path name = "image_02/data/0000000005.jpg";
  EXPECT_NE(read_file(raw_folder(options.out, 0) / name), read_file(raw_folder(set(), 0) / name));
}

TEST_F(SyntheticKitti, ReplacesAnEarlierSetAndWhatAKilledRunLeft) {
  SyntheticSetOptions options = options_for(*folder_ / "replaced");
  options.frames = 12;
  ASSERT_TRUE(synthesize_kitti(options));
  fs::create_directories(options.out / ".unfinished/raw/rest");
  options.frames = 2;
  ASSERT_TRUE(synthesize_kitti(options));
  EXPECT_EQ(folder_contents(options.out).size(), 2U * 4 + 3 + 2 + 1)
      << "four files a frame, three of calibration, two splits, synthetic.json";
  EXPECT_FALSE(fs::exists(options.out / ".unfinished"));
}

TEST_F(SyntheticKitti, LeavesAFolderWithOtherFilesAlone) {
  const fs::path mine = folder_->write("taken/notes.txt", "mine");
  EXPECT_THAT([&] { synthesize_kitti(options_for(mine.parent_path())); },
              ThrowsMessage<Error>(AllOf(HasSubstr("taken"), HasSubstr("notes.txt"))));
  EXPECT_EQ(folder_contents(mine.parent_path()).size(), 1U);
}

TEST_F(SyntheticKitti, NamesWhatIsOutOfRange) {
  SyntheticSetOptions few = options_for(*folder_ / "few");
  few.frames = 1;
  EXPECT_THAT([&] { synthesize_kitti(few); },
              ThrowsMessage<Error>(AllOf(HasSubstr("frames"), HasSubstr("got 1"))));
  SyntheticSetOptions low = options_for(*folder_ / "low");
  low.size = {640, 31};
  EXPECT_THAT([&] { synthesize_kitti(low); }, ThrowsMessage<Error>(HasSubstr("got 31x640")));
  EXPECT_FALSE(fs::exists(*folder_ / "few"));
  EXPECT_FALSE(fs::exists(*folder_ / "low"));
}

}  // namespace
}  // namespace dualdepth::synthetic
