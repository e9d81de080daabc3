#include "dualdepth/data/sample_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "dualdepth/base/error.h"
#include "testing/environment_variable.h"
#include "testing/kitti_tree.h"
#include "testing/print_enum.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using testing::KittiTree;

std::shared_ptr<const PreparedSample> example() {
  auto sample = std::make_shared<PreparedSample>();
  sample->rgb = cv::Mat(2, 3, CV_8UC3, cv::Scalar(1, 2, 3));
  sample->truth = {{0, 5}, {1.5F, 70.0F}};
  return sample;
}

class Cache : public ::testing::TestWithParam<CacheKind> {
 protected:
  std::unique_ptr<SampleCache> make() const {
    DataOptions options;
    options.cache = GetParam();
    options.cache_dir = (folder_ / "cache").string();
    return make_sample_cache(options);
  }

  testing::TempFolder folder_;
};

TEST_P(Cache, ReturnsWhatWasStoredUnderTheSameKeyAlone) {
  const auto cache = make();
  EXPECT_EQ(cache->find("key"), nullptr);
  cache->store("key", example());
  const auto found = cache->find("key");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(cv::norm(found->rgb, example()->rgb, cv::NORM_INF), 0);
  EXPECT_EQ(found->truth.pixels, example()->truth.pixels);
  EXPECT_EQ(found->truth.depths, example()->truth.depths);
  EXPECT_EQ(cache->find("another key"), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Cache, ::testing::Values(CacheKind::kMemory, CacheKind::kDisk),
                         [](const auto& test) { return std::string(enum_name(test.param)); });

TEST(MakeSampleCache, WithoutAFolderTheDiskCacheLiesBelowTheUsersCacheFolder) {
  const testing::TempFolder folder;
  DataOptions options;
  options.cache = CacheKind::kDisk;
  const testing::EnvironmentVariable home("HOME", (folder / "home").string());
  {
    const testing::EnvironmentVariable cache("XDG_CACHE_HOME", (folder / "cache").string());
    make_sample_cache(options)->store("key", example());
    EXPECT_FALSE(fs::is_empty(folder / "cache/dualdepth/samples"));
  }
  const testing::EnvironmentVariable no_cache("XDG_CACHE_HOME", "");
  make_sample_cache(options)->store("key", example());
  EXPECT_FALSE(fs::is_empty(folder / "home/.cache/dualdepth/samples"));
}

TEST(MakeSampleCache, NoneIsNoCache) { EXPECT_EQ(make_sample_cache(DataOptions{}), nullptr); }

class DiskCacheFile : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.cache = CacheKind::kDisk;
    options_.cache_dir = folder_.path().string();
    make_sample_cache(options_)->store("key", example());
    for (const auto& file : fs::directory_iterator(folder_.path())) file_ = file.path();
    std::ifstream stream(file_, std::ios::binary);
    bytes_ = {std::istreambuf_iterator<char>(stream), {}};
  }

  std::shared_ptr<const PreparedSample> find_in(const std::string& bytes) const {
    folder_.write(file_.filename(), bytes);
    return make_sample_cache(options_)->find("key");
  }

  testing::TempFolder folder_;
  DataOptions options_;
  fs::path file_;
  std::string bytes_;
};

TEST_F(DiskCacheFile, IsServedByAnotherCacheOfItsFolder) { EXPECT_NE(find_in(bytes_), nullptr); }

TEST_F(DiskCacheFile, OfAnyOtherLengthIsNotServed) {
  for (size_t length = 0; length < bytes_.size(); ++length) {
    EXPECT_EQ(find_in(bytes_.substr(0, length)), nullptr) << length;
  }
  EXPECT_EQ(find_in(bytes_ + "x"), nullptr);
}

TEST_F(DiskCacheFile, WithPixelsOutsideThePictureOrNoDepthIsNotServed) {
  // The end of the file: pixels 0 and 5 (int32), depths 1.5 and 70 (float).
  for (const char damage : {'\x06', '\x80'}) {
    std::string outside = bytes_;
    outside[bytes_.size() - 12] = damage;
    outside[bytes_.size() - 9] = damage == '\x80' ? '\x80' : '\0';
    EXPECT_EQ(find_in(outside), nullptr);
  }
  std::string negative = bytes_;
  negative.back() = static_cast<char>(negative.back() | '\x80');
  EXPECT_EQ(find_in(negative), nullptr);
}

TEST_F(DiskCacheFile, OfAnotherKeyIsNotServed) {
  std::string other = bytes_;
  other[other.find("key")] = 'K';
  EXPECT_EQ(find_in(other), nullptr);
}

TEST(CacheKey, ChangesWithEachFileAndEachOptionThatShapesTheSample) {
  const KittiTree tree;
  tree.add_frames(1);
  const auto dataset = open_dataset(tree.options(), SplitRole::kTrain);
  const std::string key = cache_key(*dataset, 0, tree.options());
  EXPECT_EQ(cache_key(*dataset, 0, tree.options()), key);

  DataOptions options = tree.options();
  options.image_shape = {64, 64};
  EXPECT_NE(cache_key(*dataset, 0, options), key);
  options = tree.options();
  options.kb_crop = true;
  EXPECT_NE(cache_key(*dataset, 0, options), key);
  options = tree.options();
  options.ground_truth = GroundTruthKind::kVelodyne;
  EXPECT_NE(cache_key(*dataset, 0, options), key);
  options = tree.options();
  options.projection = ProjectionKind::kEigen;
  EXPECT_NE(cache_key(*dataset, 0, options), key);

  for (const fs::path& file : dataset->files(0)) {
    const auto before = cache_key(*dataset, 0, tree.options());
    fs::last_write_time(file, fs::last_write_time(file) + std::chrono::nanoseconds(1));
    EXPECT_NE(cache_key(*dataset, 0, tree.options()), before) << file;
  }
  // A file that grew within the same tick of the clock.
  for (const fs::path& file : dataset->files(0)) {
    const auto before = cache_key(*dataset, 0, tree.options());
    const auto time = fs::last_write_time(file);
    std::ofstream(file, std::ios::app) << "x";
    fs::last_write_time(file, time);
    EXPECT_NE(cache_key(*dataset, 0, tree.options()), before) << file;
  }
  // The same bytes and times in another folder.
  const KittiTree copy;
  fs::copy(tree.root(), copy.root(), fs::copy_options::recursive);
  for (const fs::path& file : dataset->files(0)) {
    fs::last_write_time(copy.root() / file.lexically_relative(tree.root()),
                        fs::last_write_time(file));
  }
  const auto other = open_dataset(copy.options(), SplitRole::kTrain);
  EXPECT_NE(cache_key(*other, 0, copy.options()), cache_key(*dataset, 0, tree.options()));

  fs::remove(dataset->files(0)[0]);
  EXPECT_THROW(cache_key(*dataset, 0, tree.options()), Error);
}

}  // namespace
}  // namespace dualdepth
