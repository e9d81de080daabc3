#include "dualdepth/runtime/write_behind.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>

#include "testing/blocked_call.h"
#include "testing/wait_until.h"

namespace dualdepth {
namespace {

TEST(WriteBehind, RunsEveryTaskBeforeFinishReturns) {
  std::atomic<int> done{0};
  WriteBehind writer(2, 3);
  for (int i = 0; i < 50; ++i) writer.submit([&] { ++done; });
  writer.finish();
  EXPECT_EQ(done, 50);
}

// One task runs and two wait, so that the fourth has to wait for room. All hold until the gate
// opens.
TEST(WriteBehind, KeepsNoMoreTasksThanItsCapacity) {
  struct Writer {
    std::promise<void> gate;
    std::shared_future<void> opened = gate.get_future();
    std::atomic<int> begun{0};
    WriteBehind tasks{1, 2};

    void submit() {
      tasks.submit([this] {
        ++begun;
        opened.wait();
      });
    }
  };
  const auto writer = std::make_shared<Writer>();
  writer->submit();
  ASSERT_TRUE(testing::wait_until([&] { return writer->begun == 1; }));
  writer->submit();
  writer->submit();
  auto fourth = testing::begin_blocked_call([writer] { writer->submit(); });
  writer->gate.set_value();
  EXPECT_TRUE(testing::returns(fourth));
  writer->tasks.finish();
  EXPECT_EQ(writer->begun, 4);
}

TEST(WriteBehind, RunsAsManyTasksAtOnceAsItHasThreads) {
  std::atomic<int> begun{0};
  std::atomic<int> met{0};
  WriteBehind writer(2, 2);
  for (int i = 0; i < 2; ++i) {
    writer.submit([&] {
      ++begun;
      if (testing::wait_until([&] { return begun == 2; }, std::chrono::seconds(5))) ++met;
    });
  }
  writer.finish();
  EXPECT_EQ(met, 2);
}

TEST(WriteBehind, TellsOfTheFirstFailureAndRunsNothingAfterIt) {
  std::atomic<int> done{0};
  WriteBehind writer(1, 2);
  const auto submit_all = [&] {
    writer.submit([] { throw std::runtime_error("disk full"); });
    for (int i = 0; i < 50; ++i) writer.submit([&] { ++done; });
    writer.finish();
  };
  EXPECT_THROW(submit_all(), std::runtime_error);
  EXPECT_EQ(done, 0);
}

}  // namespace
}  // namespace dualdepth
