#include "dualdepth/data/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "dualdepth/base/error.h"
#include "testing/kitti_tree.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::KittiTree;
using ::testing::ThrowsMessage;

std::vector<Batch> take_all(Loader& loader) {
  std::vector<Batch> batches;
  while (auto batch = loader.next()) batches.push_back(std::move(*batch));
  return batches;
}

void expect_same_bytes(const std::vector<Batch>& left, const std::vector<Batch>& right) {
  ASSERT_EQ(left.size(), right.size());
  for (size_t i = 0; i < left.size(); ++i) {
    EXPECT_EQ(left[i].ids, right[i].ids);
    EXPECT_TRUE(torch::equal(left[i].image, right[i].image)) << i;
    EXPECT_TRUE(torch::equal(left[i].pixels, right[i].pixels)) << i;
    EXPECT_TRUE(torch::equal(left[i].depths, right[i].depths)) << i;
  }
}

class LoaderOfFrames : public ::testing::Test {
 protected:
  static constexpr int kFrames = 11;

  void SetUp() override {
    tree_.add_frames(kFrames);
    options_.data = tree_.options();
    options_.data.batch_size = 3;
    options_.data.workers = 2;
    options_.data.augmentation.crop_zoom = 0.3;
    options_.seed = 5;
  }

  Loader make() const { return Loader(open_dataset(options_.data, SplitRole::kTrain), options_); }

  std::vector<Batch> epoch(int64_t number, int64_t first_batch = 0) const {
    Loader loader = make();
    loader.start_epoch(number, first_batch);
    return take_all(loader);
  }

  KittiTree tree_;
  LoaderOptions options_;
};

TEST_F(LoaderOfFrames, BatchHasTheShapesOfItsDescription) {
  const Batch batch = epoch(0).front();
  EXPECT_EQ(batch.image.sizes(), torch::IntArrayRef({3, 3, 32, 64}));
  EXPECT_TRUE(batch.image.is_contiguous(torch::MemoryFormat::ChannelsLast));
  EXPECT_EQ(batch.image.scalar_type(), torch::kFloat32);
  EXPECT_GE(batch.image.min().item<float>(), 0.0F);
  EXPECT_LE(batch.image.max().item<float>(), 1.0F);
  EXPECT_EQ(batch.pixels.scalar_type(), torch::kInt64);
  EXPECT_EQ(batch.depths.scalar_type(), torch::kFloat32);
  ASSERT_EQ(batch.pixels.sizes(), batch.depths.sizes());
  EXPECT_GT(batch.pixels.size(0), 0);
  EXPECT_TRUE((batch.pixels.diff() > 0).all().item<bool>());
  EXPECT_LT(batch.pixels.max().item<int64_t>(), 3 * 32 * 64);
  EXPECT_EQ(batch.size(), 3);
  EXPECT_EQ(batch.ids.size(), 3);
}

TEST_F(LoaderOfFrames, WithoutAugmentationABatchHoldsThePicturesAndTheirDepth) {
  options_.augment = false;
  const Batch batch = epoch(0)[1];  // frames 3, 4, 5 in the split's order
  EXPECT_THAT(batch.ids[1], HasSubstr("/image_02/0000000004"));
  // Frame 4 has shade 60 and 64 columns; its red is 60 + x at any row.
  EXPECT_NEAR(batch.image[1][0][7][20].item<float>(), 80.0 / 255, 1e-6);
  EXPECT_NEAR(batch.image[1][2][7][20].item<float>(), 60.0 / 255, 1e-6);
  // Depth 9 m at rows 2 + 4 i of 48, columns 1 + 4 j: rows go to floor((2.5 + 4 i) * 2 / 3).
  const auto of_frame = (batch.pixels / (32 * 64)).floor() == 1;
  const auto depths = batch.depths.masked_select(of_frame);
  EXPECT_EQ(depths.size(0), 12 * 16);
  EXPECT_TRUE((depths == 9).all().item<bool>());
  EXPECT_EQ(batch.pixels.masked_select(of_frame)[0].item<int64_t>(), (32 + 1) * 64 + 1);
}

TEST_F(LoaderOfFrames, EpochIsTheSameBytesWithAnyNumberOfWorkers) {
  options_.data.workers = 0;
  const auto expected = epoch(3);
  ASSERT_EQ(expected.size(), 3);
  for (const int workers : {1, 3}) {
    options_.data.workers = workers;
    options_.data.prefetch = workers;
    expect_same_bytes(epoch(3), expected);
  }
}

TEST_F(LoaderOfFrames, EpochResumedAtABatchIsTheSameBytesFromThere) {
  auto expected = epoch(3);
  expected.erase(expected.begin(), expected.begin() + 2);
  expect_same_bytes(epoch(3, 2), expected);
}

TEST_F(LoaderOfFrames, CacheChangesNothing) {
  const auto expected = epoch(3);
  const testing::TempFolder folder;
  options_.data.cache_dir = folder.path().string();
  for (const CacheKind kind : {CacheKind::kMemory, CacheKind::kDisk}) {
    options_.data.cache = kind;
    Loader loader = make();
    for (int pass = 0; pass < 2; ++pass) {
      loader.start_epoch(3);
      expect_same_bytes(take_all(loader), expected);
    }
  }
}

TEST_F(LoaderOfFrames, ChangedFileIsNotServedFromTheCache) {
  options_.augment = false;
  options_.data.cache = CacheKind::kMemory;
  Loader loader = make();
  loader.start_epoch(0);
  take_all(loader);
  const auto picture = tree_.add_picture("raw/" + KittiTree::raw_picture(0), 200);
  std::filesystem::last_write_time(
      picture, std::filesystem::last_write_time(picture) + std::chrono::seconds(1));
  loader.start_epoch(1);
  EXPECT_NEAR(loader.next()->image[0][2][0][0].item<float>(), 200.0 / 255, 1e-6);
}

TEST_F(LoaderOfFrames, EpochsDifferInOrder) { EXPECT_NE(epoch(0)[0].ids, epoch(1)[0].ids); }

// All pictures are the same, so that two images differ by their augmentation alone; with a jitter
// of four real numbers for each, no two are equal.
TEST_F(LoaderOfFrames, AugmentationIsAFunctionOfSeedEpochAndSample) {
  for (int frame = 0; frame < kFrames; ++frame) {
    tree_.add_picture("raw/" + KittiTree::raw_picture(frame), 90);
  }
  options_.data.augmentation = {};
  options_.data.augmentation.flip = 0;
  options_.data.augmentation.jitter = 1;
  options_.drop_last = false;
  const auto images = [&](uint64_t seed, int64_t number, int64_t batch_size) {
    options_.seed = seed;
    options_.data.batch_size = batch_size;
    std::map<std::string, torch::Tensor> by_id;
    for (const Batch& batch : epoch(number)) {
      for (size_t i = 0; i < batch.ids.size(); ++i) {
        by_id[batch.ids[i]] = batch.image[static_cast<int64_t>(i)].clone();
      }
    }
    return by_id;
  };
  const auto reference = images(5, 0, 3);
  ASSERT_EQ(reference.size(), kFrames);
  const auto other_batches = images(5, 0, 4);
  const auto other_epoch = images(5, 1, 3);
  const auto other_seed = images(6, 0, 3);
  for (const auto& [id, image] : reference) {
    EXPECT_TRUE(torch::equal(image, other_batches.at(id))) << id;
    EXPECT_FALSE(torch::equal(image, other_epoch.at(id))) << id;
    EXPECT_FALSE(torch::equal(image, other_seed.at(id))) << id;
    for (const auto& [other_id, other] : reference) {
      if (other_id == id) continue;
      EXPECT_FALSE(torch::equal(image, other)) << id << " " << other_id;
    }
  }
}

TEST_F(LoaderOfFrames, DrawsSomeOfTheGroundTruthAnewInEveryEpoch) {
  options_.data.batch_size = kFrames;
  options_.data.augmentation = {.flip = 0, .jitter = 0};
  const auto whole = epoch(0);
  options_.data.max_truth_pixels = 7;
  const auto first = epoch(0);
  EXPECT_EQ(first[0].pixels.numel(), 7 * kFrames);
  EXPECT_TRUE(torch::isin(first[0].pixels, whole[0].pixels).all().item<bool>());
  expect_same_bytes(first, epoch(0));
  EXPECT_FALSE(torch::equal(std::get<0>(torch::sort(first[0].pixels)),
                            std::get<0>(torch::sort(epoch(1)[0].pixels))));
  options_.augment = false;
  EXPECT_GT(epoch(0)[0].pixels.numel(), 7 * kFrames);
}

TEST_F(LoaderOfFrames, EverySampleComesOnceUnlessTheTailIsDropped) {
  std::multiset<std::string> ids;
  for (const Batch& batch : epoch(2)) ids.insert(batch.ids.begin(), batch.ids.end());
  EXPECT_EQ(ids.size(), 9);
  options_.drop_last = false;
  ids.clear();
  const auto batches = epoch(2);
  EXPECT_EQ(batches.back().size(), 2);
  for (const Batch& batch : batches) ids.insert(batch.ids.begin(), batch.ids.end());
  EXPECT_EQ(ids.size(), kFrames);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), kFrames);
}

TEST_F(LoaderOfFrames, NewEpochDropsWhatTheOldOneHadInFlight) {
  const auto expected = epoch(1);
  Loader loader = make();
  loader.start_epoch(0);
  loader.next();
  loader.start_epoch(1);
  expect_same_bytes(take_all(loader), expected);
}

TEST_F(LoaderOfFrames, ZoomDividesDepthByTheEnlargement) {
  options_.data.augmentation = {};
  options_.data.augmentation.jitter = 0;
  options_.data.augmentation.crop_zoom = 1;
  options_.data.augmentation.max_zoom = 2;
  options_.data.batch_size = 1;
  for (const Batch& batch : epoch(0)) {
    const int frame = std::stoi(batch.ids[0].substr(batch.ids[0].size() - 10));
    const float ratio = batch.depths[0].item<float>() / static_cast<float>(5 + frame);
    // The crop is a whole number of the 64 columns, 32 at the least.
    const double columns = 64 * ratio;
    EXPECT_NEAR(columns, std::round(columns), 1e-4);
    EXPECT_GE(columns, 32 - 1e-4);
    EXPECT_LE(columns, 64 + 1e-4);
    EXPECT_TRUE((batch.depths == batch.depths[0]).all().item<bool>());
  }
}

TEST_F(LoaderOfFrames, WorkersErrorReachesTheCallerAtItsBatch) {
  options_.augment = false;
  tree_.folder().write("raw/" + KittiTree::raw_picture(4), "no picture");
  for (const int workers : {0, 2}) {
    options_.data.workers = workers;
    Loader loader = make();
    loader.start_epoch(0);
    EXPECT_TRUE(loader.next());
    EXPECT_THAT([&] { loader.next(); }, ThrowsMessage<Error>(HasSubstr("0000000004.png")));
  }
}

TEST_F(LoaderOfFrames, SamplesWithoutAValidPixelMakeABatchWithoutPixels) {
  for (int frame = 0; frame < kFrames; ++frame) {
    tree_.add_depth("depth/train/" + KittiTree::drive_depth(frame), 0);
  }
  const Batch batch = epoch(0).front();
  EXPECT_EQ(batch.size(), 3);
  EXPECT_EQ(batch.pixels.size(0), 0);
  EXPECT_EQ(batch.depths.size(0), 0);
}

TEST_F(LoaderOfFrames, BatchLargerThanTheDataSetIsAnError) {
  options_.data.batch_size = 12;
  EXPECT_THAT([&] { make(); }, ThrowsMessage<Error>(AllOf(HasSubstr("data.batch_size"),
                                                          HasSubstr("11"), HasSubstr("12"))));
}

TEST_F(LoaderOfFrames, KbCropTakesTheBottomMiddle) {
  tree_.add_picture("raw/" + KittiTree::raw_picture(0), 0, {1242, 375});
  tree_.add_depth("depth/train/" + KittiTree::drive_depth(0), 10, {1242, 375});
  options_.augment = false;
  options_.drop_last = false;
  options_.data.kb_crop = true;
  options_.data.image_shape = {352, 1216};
  options_.data.batch_size = 1;
  Loader loader = make();
  loader.start_epoch(0);
  const Batch batch = *loader.next();
  // left = 13, top = 23; red is x, so 13 in the first column.
  EXPECT_NEAR(batch.image[0][0][0][0].item<float>(), 13.0 / 255, 1e-6);
  EXPECT_NEAR(batch.image[0][1][0][0].item<float>(), 23.0 / 255, 1e-6);
  // The first value lies at row 26, column 13 (1 + 4 * 3) of the picture.
  EXPECT_EQ(batch.pixels[0].item<int64_t>(), 3 * 1216);
  EXPECT_THAT([&] { loader.next(); },  // frame 1 has 64x48 pixels
              ThrowsMessage<Error>(AllOf(HasSubstr("1216x352"), HasSubstr("64x48"))));
}

TEST(LoaderOfKittiSizes, PicturesOfAllSizesShareABatch) {
  const KittiTree tree;
  std::string split;
  const cv::Size sizes[] = {{1242, 375}, {1224, 370}, {1238, 374}, {1226, 370}};
  for (int frame = 0; frame < 4; ++frame) {
    tree.add_picture("raw/" + KittiTree::raw_picture(frame), 60, sizes[frame]);
    tree.add_depth("depth/val/" + KittiTree::drive_depth(frame), 10, sizes[frame]);
    split += KittiTree::raw_picture(frame) + "\n";
  }
  tree.folder().write("train.txt", split);
  LoaderOptions options{.data = tree.options()};
  options.data.image_shape = {192, 640};
  Loader loader(open_dataset(options.data, SplitRole::kTrain), options);
  loader.start_epoch(0);
  const auto batch = loader.next();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->image.sizes(), torch::IntArrayRef({4, 3, 192, 640}));
}

}  // namespace
}  // namespace dualdepth
