#include "dualdepth/base/random.h"

#include <gtest/gtest.h>

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
