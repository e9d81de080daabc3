#include "dualdepth/train/weight_average.h"

#include <gtest/gtest.h>

namespace dualdepth {
namespace {

TEST(WeightAverage, FollowsTheFormula) {
  WeightAverage average(0.5, {{"w", torch::full({}, 1.0F)}});
  // d = min(0.5, 1/10): 0.1 * 1 + 0.9 * 3 = 2.8
  average.update({{"w", torch::full({}, 3.0F)}}, 0);
  EXPECT_FLOAT_EQ(average.tensors().at("w").item<float>(), 2.8F);
  // d = min(0.5, 101/110): 0.5 * 2.8 + 0.5 * 0.8 = 1.8
  average.update({{"w", torch::full({}, 0.8F)}}, 100);
  EXPECT_FLOAT_EQ(average.tensors().at("w").item<float>(), 1.8F);
}

TEST(WeightAverage, CopiesCounters) {
  WeightAverage average(0.9, {{"n", torch::full({}, 1, torch::kInt64)}});
  average.update({{"n", torch::full({}, 5, torch::kInt64)}}, 0);
  EXPECT_EQ(average.tensors().at("n").item<int64_t>(), 5);
}

TEST(WeightAverage, DoesNotShareMemoryWithTheWeights) {
  const torch::Tensor weight = torch::full({}, 1.0F);
  const WeightAverage average(0.9, {{"w", weight}});
  weight.fill_(9);
  EXPECT_FLOAT_EQ(average.tensors().at("w").item<float>(), 1);
}

}  // namespace
}  // namespace dualdepth
