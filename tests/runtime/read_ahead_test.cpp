#include "dualdepth/runtime/read_ahead.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace dualdepth {
namespace {

TEST(ReadAhead, HandsItemsOverInOrderWhateverTheirTime) {
  ReadAhead<size_t> items(20, 4, [](size_t i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(i % 3));
    return i * i;
  });
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(items.next(), i * i);
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
