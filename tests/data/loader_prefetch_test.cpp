#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "dualdepth/data/loader.h"
#include "testing/wait_until.h"

namespace dualdepth {
namespace {

using testing::wait_until;

constexpr std::chrono::seconds kLimit(10);

// Twelve small pictures. load() counts its calls and returns once the gate is open.
class GatedDataset : public Dataset {
 public:
  explicit GatedDataset(bool open) : open(open) {}

  size_t size() const override { return 12; }
  const std::string& id(size_t) const override { return id_; }
  Sample load(size_t) const override {
    ++begun;
    wait_until([&] { return open.load(); });
    Sample sample;
    sample.id = id_;
    sample.rgb = cv::Mat(32, 32, CV_8UC3, cv::Scalar::all(9));
    sample.depth = cv::Mat(32, 32, CV_32FC1, cv::Scalar(10));
    return sample;
  }
  std::vector<std::filesystem::path> files(size_t) const override { return {}; }
  const std::vector<std::string>& missing() const override { return missing_; }

  std::atomic<bool> open;
  mutable std::atomic<int> begun{0};

 private:
  std::string id_ = "a";
  std::vector<std::string> missing_;
};

LoaderOptions batches_of_two(int workers, int prefetch) {
  LoaderOptions options;
  options.data.image_shape = {32, 32};
  options.data.batch_size = 2;
  options.data.workers = workers;
  options.data.prefetch = prefetch;
  return options;
}

// Long enough for a worker that would read on to do so.
void let_workers_go_on() { std::this_thread::sleep_for(std::chrono::milliseconds(30)); }

TEST(LoaderPrefetch, KeepsAsManyBatchesReadyAsAskedAndNoMore) {
  const auto dataset = std::make_shared<GatedDataset>(true);
  Loader loader(dataset, batches_of_two(2, 3));
  loader.start_epoch(0);
  EXPECT_TRUE(wait_until([&] { return dataset->begun >= 6; }, kLimit)) << dataset->begun;
  let_workers_go_on();
  EXPECT_EQ(dataset->begun, 6);
  loader.next();
  EXPECT_TRUE(wait_until([&] { return dataset->begun >= 8; }, kLimit)) << dataset->begun;
  let_workers_go_on();
  EXPECT_EQ(dataset->begun, 8);
}

TEST(LoaderPrefetch, ReadsOnAsManySamplesAtOnceAsThereAreWorkers) {
  const auto dataset = std::make_shared<GatedDataset>(false);
  Loader loader(dataset, batches_of_two(3, 4));
  loader.start_epoch(0);
  EXPECT_TRUE(wait_until([&] { return dataset->begun >= 3; }, kLimit)) << dataset->begun;
  let_workers_go_on();
  EXPECT_EQ(dataset->begun, 3);
  dataset->open = true;
}

TEST(LoaderPrefetch, SecondsWaitedAreThoseThatNextTookForWantOfABatch) {
  using Clock = std::chrono::steady_clock;
  const auto dataset = std::make_shared<GatedDataset>(false);
  Loader loader(dataset, batches_of_two(2, 1));
  loader.start_epoch(0);
  EXPECT_EQ(loader.seconds_waited(), 0);
  std::jthread opener([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    dataset->open = true;
  });
  const auto start = Clock::now();
  loader.next();
  const std::chrono::duration<double> taken = Clock::now() - start;
  EXPECT_GT(loader.seconds_waited(), 0.03);
  EXPECT_LE(loader.seconds_waited(), taken.count());
}

}  // namespace
}  // namespace dualdepth
