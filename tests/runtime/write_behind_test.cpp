#include "dualdepth/runtime/write_behind.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

namespace dualdepth {
namespace {

TEST(WriteBehind, RunsEveryTaskBeforeFinishReturns) {
  std::atomic<int> done{0};
  WriteBehind writer(2, 3);
  for (int i = 0; i < 50; ++i) writer.submit([&] { ++done; });
  writer.finish();
  EXPECT_EQ(done, 50);
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
