#include "dualdepth/data/synthetic_ncdb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "dualdepth/data/dataset.h"
#include "dualdepth/data/synthetic_parking.h"
#include "dualdepth/io/image.h"
#include "dualdepth/io/vadas_camera.h"
#include "testing/folder_contents.h"
#include "testing/temp_folder.h"

namespace dualdepth::synthetic {
namespace {

namespace fs = std::filesystem;
using dualdepth::testing::folder_contents;
using dualdepth::testing::TempFolder;

constexpr double kMillimetre = 1e-3;

Scene grey_scene(const std::vector<Object>& objects) {
  const auto grey = [](const Vec3&, const Footprint&) { return Surface{}; };
  return Scene(objects, Plane{}, grey, Lighting{});
}

// Pixels by the lens' formula in Python for the points (5, 0, -1) and (1, 1, -1) of a camera 1 m
// above the ground, and (2, -0.5, 0.3), on whose ray the centre of a ball of radius 1 lies three
// times as far: the ball begins 1 m before that, at a depth of 6 - 2 / sqrt(4.34).
TEST(FisheyeCamera, DepthOfPlaneAndSphereIsExact) {
  const Camera camera = fisheye_camera(VadasCamera(), {1920, 1536}, Pose{{0, 0, 1}});
  const Scene ground = grey_scene({});
  EXPECT_NEAR(depth_at(ground, camera, 1004.9516, 869.5085757068836), 5, kMillimetre);
  const auto near_pixel = camera.project({0.1, 0.2, -1});
  ASSERT_TRUE(near_pixel);
  EXPECT_NEAR(depth_at(ground, camera, near_pixel->x, near_pixel->y), 0.1, kMillimetre);
  const Scene ball = grey_scene({{Ellipsoid{{6, -1.5, 1.9}, {1, 1, 1}}, {}}});
  EXPECT_NEAR(depth_at(ball, camera, 1127.366197533882, 697.0394614796709), 6 - 2 / std::sqrt(4.34),
              kMillimetre);
  const Scene wall = grey_scene({{Box{{3, 0, 0}, {1, 40, 20}}, {}}});
  EXPECT_NEAR(depth_at(wall, camera, 1127.366197533882, 697.0394614796709), 2.5, kMillimetre);
}

TEST(FisheyeCamera, CornersOfThePictureAreDark) {
  const Camera camera = fisheye_camera(VadasCamera(), {96, 76}, Pose{{0, 0, 1}});
  const Rendering rendering = render(grey_scene({}), camera, Sensor{.noise = 0});
  EXPECT_EQ(rendering.rgb.at<cv::Vec3b>(0, 0), cv::Vec3b(0, 0, 0));
  EXPECT_EQ(rendering.depth.at<double>(75, 95), 0);
  EXPECT_GT(rendering.depth.at<double>(60, 50), 0);
  EXPECT_GT(rendering.distance.at<double>(60, 50), rendering.depth.at<double>(60, 50));
}

// The number of solids that the way from `start` to `end` enters.
int count_entries(const Scene& scene, const Vec3& start, const Vec3& end) {
  constexpr double kPastSurface = 1e-6;  // m
  const Vec3 way = end - start;
  const double length = std::sqrt(way.dot(way));
  const Vec3 direction = way * (1 / length);
  int entries = 0;
  double done = 0;
  while (const auto hit = scene.nearest({start + direction * done, direction}, length - done)) {
    done += hit->distance + kPastSurface;
    ++entries;
  }
  return entries;
}

// A ray that starts inside a solid does not meet it. So a solid around `point` is entered on the
// way there from high above, and not on the way back; any other is entered on both.
bool is_inside_a_solid(const Scene& scene, const Vec3& point) {
  const Vec3 above = point + Vec3{0, 0, 40};
  return count_entries(scene, above, point) != count_entries(scene, point, above);
}

TEST(SolidsAround, AreFoundByTheWayInAndTheWayOut) {
  const Scene box = grey_scene({{Box{.base = {10, 0, 0}, .size = {2, 2, 3}}, {}},
                                {Box{.base = {10, 0, 5}, .size = {2, 2, 3}}, {}}});
  EXPECT_TRUE(is_inside_a_solid(box, {10.3, 0.2, 1}));
  EXPECT_TRUE(is_inside_a_solid(box, {10.3, 0.2, 6}));
  EXPECT_FALSE(is_inside_a_solid(box, {10.3, 0.2, 4})) << "between the two";
  EXPECT_FALSE(is_inside_a_solid(box, {7, 0, 1}));
}

TEST(ParkingDrive, NothingStandsWhereTheCameraIs) {
  for (int sequence = 0; sequence < 8; ++sequence) {
    const ParkingDrive drive(5, sequence, 6);
    const Scene scene = drive.scene();
    for (int frame = 0; frame < 6; ++frame) {
      const Vec3 camera = drive.camera_pose(frame).position;
      EXPECT_FALSE(is_inside_a_solid(scene, camera)) << sequence << " " << frame;
      for (int degrees = 0; degrees < 360; degrees += 5) {
        const double bearing = degrees * std::numbers::pi / 180;
        const auto hit = scene.nearest({camera, {std::cos(bearing), std::sin(bearing), 0}});
        EXPECT_TRUE(!hit || hit->distance > 0.1) << sequence << " " << frame << " " << degrees;
      }
    }
    EXPECT_FALSE(drive.instances().empty());
  }
}

constexpr int kFrames = 12;  // two sequences of six

SyntheticSetOptions options_for(const fs::path& out) {
  return {.out = out, .frames = kFrames, .seed = 4, .size = {160, 96}, .threads = 2};
}

class SyntheticNcdb : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempFolder;
    summary_ = synthesize_ncdb(options_for(*folder_ / "set"));
  }
  static void TearDownTestSuite() { delete folder_; }

  static fs::path set() { return *folder_ / "set"; }

  static std::unique_ptr<Dataset> open(DepthType type, SplitRole role) {
    DataOptions options;
    options.dataset = DatasetKind::kNcdb;
    options.root = set().string();
    options.train_split = (set() / "splits/train.json").string();
    options.val_split = (set() / "splits/val.json").string();
    options.depth_type = type;
    options.use_mask = true;
    return open_dataset(options, role);
  }

  static TempFolder* folder_;
  static std::optional<SyntheticSetSummary> summary_;
};

TempFolder* SyntheticNcdb::folder_ = nullptr;
std::optional<SyntheticSetSummary> SyntheticNcdb::summary_;

TEST_F(SyntheticNcdb, IsReadByTheDataSetWithItsSequencesApart) {
  ASSERT_TRUE(summary_);
  EXPECT_EQ(summary_->train_frames, 6);
  EXPECT_EQ(summary_->val_frames, 6);
  const auto train = open(DepthType::kDepth, SplitRole::kTrain);
  const auto val = open(DepthType::kDepth, SplitRole::kValidation);
  EXPECT_EQ(train->id(0), "parking_0001/000000");
  EXPECT_EQ(val->id(5), "parking_0002/000005");
  EXPECT_TRUE(fs::exists(set() / "parking_0002/synced_data/image_a6/000005.jpg"));
  EXPECT_EQ(val->load(0).rgb.size(), cv::Size(160, 96));
}

TEST_F(SyntheticNcdb, SparseDepthIsPartOfTheDenseAndDistanceIsNeverLess) {
  for (size_t i = 0; i < 3; ++i) {
    const cv::Mat dense = open(DepthType::kDepth, SplitRole::kTrain)->load(i).depth;
    const cv::Mat sparse = open(DepthType::kDepthOriginal, SplitRole::kTrain)->load(i).depth;
    const cv::Mat distance = open(DepthType::kDistance, SplitRole::kTrain)->load(i).depth;
    const cv::Mat measured = sparse > 0;
    const double share = cv::countNonZero(measured) / (160.0 * 96);
    EXPECT_GT(share, 0.03);
    EXPECT_LT(share, 0.6);
    EXPECT_EQ(cv::norm(sparse, dense, cv::NORM_INF, measured), 0);
    EXPECT_EQ(cv::countNonZero((dense > 0) & (distance < dense)), 0);
  }
}

TEST_F(SyntheticNcdb, MaskIsWhatTheLensSees) {
  const Sample sample = open(DepthType::kDepth, SplitRole::kTrain)->load(0);
  EXPECT_EQ(sample.valid_mask.at<uchar>(0, 0), 0);
  EXPECT_EQ(sample.valid_mask.at<uchar>(48, 80), 255);
  EXPECT_EQ(cv::countNonZero((sample.depth > 0) & (sample.valid_mask == 0)), 0);
}

TEST_F(SyntheticNcdb, InstancesDoNotOverlapAndAreFromATenthOfAMetreOn) {
  const auto dataset = open(DepthType::kDepth, SplitRole::kTrain);
  const auto masks = dataset->load_class_masks(0);
  ASSERT_FALSE(masks.empty());
  cv::Mat1i seen(96, 160, 0);
  for (const auto& mask : masks) {
    EXPECT_GE(cv::countNonZero(mask.mask), 50) << mask.file;
    cv::Mat1i one = seen.clone();
    one.setTo(1, mask.mask);
    one.setTo(0, ~mask.mask);
    seen += one;
  }
  double most = 0;
  cv::minMaxLoc(seen, nullptr, &most);
  EXPECT_EQ(most, 1);
  const cv::Mat distance = open(DepthType::kDistance, SplitRole::kTrain)->load(0).depth;
  EXPECT_EQ(cv::countNonZero((seen > 0) & (distance < 0.1)), 0);
}

TEST_F(SyntheticNcdb, CarriesItsCamera) {
  EXPECT_EQ(read_vadas_camera(set() / "calibration/vadas.json").k, VadasCamera().k);
}

TEST_F(SyntheticNcdb, IsTheSameToTheByteWithAnyNumberOfThreads) {
  SyntheticSetOptions options = options_for(*folder_ / "again");
  options.threads = 1;
  ASSERT_TRUE(synthesize_ncdb(options));
  EXPECT_TRUE(folder_contents(options.out) == folder_contents(set()));
}

}  // namespace
}  // namespace dualdepth::synthetic
