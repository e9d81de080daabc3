#include "dualdepth/base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace dualdepth {
namespace {

TEST(RandomStream, IsAFunctionOfItsKeysAlone) {
  RandomStream first({1, 2, 3});
  RandomStream second({1, 2, 3});
  RandomStream other({1, 3, 2});
  const uint64_t draw = first.next();
  EXPECT_EQ(draw, second.next());
  EXPECT_NE(draw, other.next());
}

TEST(RandomStream, IsTheSplitmix64OfItsAuthors) {
  // First outputs for state 0 of splitmix64.c (Vigna, prng.di.unimi.it).
  RandomStream stream({});
  EXPECT_EQ(stream.next(), 0xe220a8397b1dcdafULL);
  EXPECT_EQ(stream.next(), 0x6e789e6aa1b965f4ULL);
  EXPECT_EQ(stream.next(), 0x06c45d188009454fULL);
}

TEST(RandomStream, KeysMixAsInAnIndependentPythonVersion) {
  RandomStream stream({1, 2, 3});
  EXPECT_EQ(stream.next(), 0x70eda24ba14cb51cULL);
  EXPECT_EQ(stream.next(), 0x652497ed59e71bc9ULL);
}

TEST(RandomStream, BelowIsEvenAndInside) {
  RandomStream stream({11});
  std::array<int, 6> counts{};
  constexpr int kDraws = 60000;
  for (int i = 0; i < kDraws; ++i) ++counts.at(stream.below(6));
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 6.0, 5 * std::sqrt(kDraws / 6.0));
  EXPECT_EQ(stream.below(1), 0u);
}

TEST(RandomStream, NormalHasMeanZeroAndVarianceOne) {
  RandomStream stream({13});
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double draw = stream.normal();
    sum += draw;
    squares += draw * draw;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.016);       // five standard errors of 1 / sqrt(n)
  EXPECT_NEAR(squares / kDraws, 1, 0.0224);  // of sqrt(2 / n)
}

TEST(RandomStream, ChanceIsRareWhereItShouldBe) {
  RandomStream stream({17});
  int hits = 0;
  for (int i = 0; i < 10000; ++i) hits += stream.chance(0.1);
  EXPECT_NEAR(hits, 1000, 150);  // five standard errors
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(stream.chance(0));
    EXPECT_TRUE(stream.chance(1));
  }
}

TEST(RandomStream, UniformHasTheMomentsOfTheUnitInterval) {
  RandomStream stream({7});
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double draw = stream.uniform();
    ASSERT_GE(draw, 0.0);
    ASSERT_LT(draw, 1.0);
    sum += draw;
    squares += draw * draw;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);  // five standard errors
  EXPECT_NEAR(squares / kDraws, 1.0 / 3.0, 0.005);
}

}  // namespace
}  // namespace dualdepth
