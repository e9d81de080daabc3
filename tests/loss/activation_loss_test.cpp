#include "dualdepth/loss/activation_loss.h"

#include <gtest/gtest.h>

#include <array>

#include "loss/finite_difference.h"

namespace dualdepth {
namespace {

// Mean squares (1 + 4 + 9 + 16) / 4 = 7.5 and 25: half of their sum.
TEST(ActivationLoss, IsTheMeanOverMapsOfMeanSquares) {
  const std::array maps{torch::tensor({1.0F, -2.0F, 3.0F, 4.0F}), torch::tensor({5.0F})};
  EXPECT_FLOAT_EQ(activation_loss(maps).item<float>(), 16.25F);
}

// In bfloat16 a running sum of 9s stops at 2304.
TEST(ActivationLoss, OfBfloat16IsSummedInFloat) {
  const std::array maps{torch::full({1000}, 3.0F).to(torch::kBFloat16)};
  EXPECT_EQ(activation_loss(maps).scalar_type(), torch::kFloat32);
  EXPECT_NEAR(activation_loss(maps).item<float>(), 9, 1e-4);
}

TEST(ActivationLoss, GradientIsExact) {
  const auto other = torch::tensor({3.0}, torch::kFloat64);
  expect_gradient_is_exact(
      [&](const torch::Tensor& map) {
        return activation_loss(std::array{map, other});
      },
      torch::tensor({{1.0, -2.0}, {0.5, 4.0}}, torch::kFloat64));
}

}  // namespace
}  // namespace dualdepth
