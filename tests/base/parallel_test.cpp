#include "dualdepth/base/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace dualdepth {
namespace {

TEST(ResolveThreadCount, ZeroMeansTheMachinesCores) {
  EXPECT_EQ(resolve_thread_count(3), 3);
  EXPECT_GE(resolve_thread_count(0), 1);
}

TEST(ParallelFor, DoesEachIndexOnce) {
  for (const int threads : {0, 1, 2, 7}) {
    std::vector<std::atomic<int>> calls(1000);
    parallel_for(calls.size(), threads, [&](size_t i) { ++calls[i]; });
    EXPECT_TRUE(std::all_of(calls.begin(), calls.end(), [](int count) { return count == 1; }))
        << threads << " threads";
  }
}

TEST(ParallelFor, NoWorkIsDoneAtOnce) {
  parallel_for(0, 4, [](size_t) { FAIL(); });
}

TEST(ParallelFor, UsesNoMoreThreadsThanAskedFor) {
  std::mutex mutex;
  std::set<std::thread::id> seen;
  parallel_for(500, 3, [&](size_t) {
    const std::lock_guard lock(mutex);
    seen.insert(std::this_thread::get_id());
  });
  EXPECT_LE(seen.size(), 3u);
}

TEST(ParallelFor, FirstExceptionStopsTheRestAndComesBack) {
  std::atomic<size_t> done{0};
  EXPECT_THROW(parallel_for(1000000, 2,
                            [&](size_t i) {
                              ++done;
                              if (i == 10) throw std::out_of_range("10");
                            }),
               std::out_of_range);
  EXPECT_LT(done, 1000000u);
}

TEST(BoundedQueue, GivesItemsInOrderAndNothingOnceClosed) {
  BoundedQueue<int> queue(3);
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  queue.close();
  EXPECT_FALSE(queue.push(3));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, HoldsNoMoreThanItsCapacity) {
  BoundedQueue<int> queue(2);
  std::atomic<int> pushed{0};
  std::jthread producer([&] {
    for (int i = 0; i < 50; ++i) {
      queue.push(i);
      ++pushed;
    }
    queue.close();
  });
  int expected = 0;
  while (const std::optional<int> item = queue.pop()) {
    EXPECT_EQ(*item, expected++);
    EXPECT_LE(pushed, expected + 2);
  }
  EXPECT_EQ(expected, 50);
}

TEST(BoundedQueue, CloseWakesAPushThatWaits) {
  BoundedQueue<int> queue(1);
  queue.push(1);
  bool accepted = true;
  std::jthread producer([&] { accepted = queue.push(2); });
  queue.close();
  producer.join();
  EXPECT_FALSE(accepted);
}

TEST(BoundedQueue, TakesItemsThatCanOnlyBeMoved) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  queue.push(std::make_unique<int>(7));
  EXPECT_EQ(**queue.pop(), 7);
}

}  // namespace
}  // namespace dualdepth
