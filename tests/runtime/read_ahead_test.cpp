#include "dualdepth/runtime/read_ahead.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "testing/wait_until.h"

namespace dualdepth {
namespace {

TEST(ReadAhead, HandsItemsOverInOrderWhateverTheirTime) {
  ReadAhead<size_t> items(20, 4, [](size_t i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(i % 3));
    return i * i;
  });
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(items.next(), i * i);
}

TEST(ReadAhead, BeginsAsManyItemsAsAskedBeforeTheFirstIsTaken) {
  std::atomic<size_t> begun{0};
  ReadAhead<size_t> items(100, 3, [&](size_t i) {
    ++begun;
    return i;
  });
  EXPECT_TRUE(testing::wait_until([&] { return begun == 3; })) << begun;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // time to begin a fourth
  EXPECT_EQ(begun, 3);
}

// Each waits until all three have begun.
TEST(ReadAhead, ProducesThemSideBySide) {
  std::atomic<size_t> begun{0};
  ReadAhead<bool> items(3, 3, [&](size_t) {
    ++begun;
    return testing::wait_until([&] { return begun == 3; }, std::chrono::seconds(5));
  });
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(items.next());
}

TEST(ReadAhead, NeverRunsFurtherAheadThanAsked) {
  std::atomic<size_t> begun{0};
  ReadAhead<size_t> items(100, 3, [&](size_t i) {
    ++begun;
    return i;
  });
  for (size_t taken = 1; taken <= 100; ++taken) {
    items.next();
    EXPECT_LE(begun, taken + 3);
  }
}

TEST(ReadAhead, ThrowsWhatAProductionThrewInItsTurn) {
  ReadAhead<size_t> items(3, 3, [](size_t i) {
    if (i == 1) throw std::runtime_error("second");
    return i;
  });
  EXPECT_EQ(items.next(), 0u);
  EXPECT_THROW(items.next(), std::runtime_error);
  EXPECT_EQ(items.next(), 2u);
}

}  // namespace
}  // namespace dualdepth
