#include "dualdepth/base/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "testing/blocked_call.h"
#include "testing/wait_until.h"

namespace dualdepth {
namespace {

using std::chrono::seconds;
using testing::begin_blocked_call;
using testing::returns;
using testing::wait_until;

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

// Each of three calls waits until all three have begun, which takes three threads.
TEST(ParallelFor, RunsOnAsManyThreadsAsAskedFor) {
  std::atomic<int> begun{0};
  std::atomic<int> met{0};
  parallel_for(3, 3, [&](size_t) {
    ++begun;
    if (wait_until([&] { return begun == 3; }, seconds(5))) ++met;
  });
  EXPECT_EQ(met, 3);
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

// The other thread waits for the exception and then takes a millisecond for each of its calls: the
// 5000 that are left would take it 5 s.
TEST(ParallelFor, FirstExceptionStopsTheRestAndComesBack) {
  constexpr size_t kCalls = 5000;
  std::atomic<size_t> done{0};
  std::atomic<bool> thrown{false};
  const auto work = [&](size_t i) {
    ++done;
    if (i == 10) {
      thrown = true;
      throw std::out_of_range("10");
    }
    if (i > 10) wait_until([&] { return thrown.load(); });
    if (thrown) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  EXPECT_THROW(parallel_for(kCalls, 2, work), std::out_of_range);
  EXPECT_LT(done, kCalls);
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
  const auto queue = std::make_shared<BoundedQueue<int>>(1);
  queue->push(1);
  auto push = begin_blocked_call([queue] { return queue->push(2); });
  queue->close();
  ASSERT_TRUE(returns(push));
  EXPECT_FALSE(push.get());
}

TEST(BoundedQueue, CloseWakesAPopThatWaits) {
  const auto queue = std::make_shared<BoundedQueue<int>>(1);
  auto pop = begin_blocked_call([queue] { return queue->pop(); });
  queue->close();
  ASSERT_TRUE(returns(pop));
  EXPECT_EQ(pop.get(), std::nullopt);
}

TEST(BoundedQueue, AnItemWakesAPopThatWaits) {
  const auto queue = std::make_shared<BoundedQueue<int>>(1);
  auto pop = begin_blocked_call([queue] { return queue->pop(); });
  queue->push(3);
  ASSERT_TRUE(returns(pop));
  EXPECT_EQ(pop.get(), 3);
}

TEST(BoundedQueue, TakesItemsThatCanOnlyBeMoved) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  queue.push(std::make_unique<int>(7));
  EXPECT_EQ(**queue.pop(), 7);
}

}  // namespace
}  // namespace dualdepth
