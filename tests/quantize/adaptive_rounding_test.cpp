#include "dualdepth/quantize/adaptive_rounding.h"

#include <gtest/gtest.h>
#include <torch/types.h>

namespace dualdepth::quantize {
namespace {

constexpr double kDamping = 0.01;  // of adaptive_rounding.h

// cov(X) + 0.01 mean(diag) I in float64.
torch::Tensor damped_covariance(const torch::Tensor& x) {
  const auto centred = (x - x.mean(0, true)).to(torch::kFloat64);
  const auto covariance = centred.t().matmul(centred) / static_cast<double>(x.size(0));
  const double damping = kDamping * covariance.diagonal().mean().item<double>();
  return covariance + damping * torch::eye(x.size(1), torch::kFloat64);
}

// Codes of GPTQ as its authors write it, in float64: the Cholesky factor of the inverse, and the
// error of each column spread at once over all to come.
torch::Tensor gptq_codes(const torch::Tensor& x, const torch::Tensor& weight, double scale) {
  const auto factor = torch::linalg_cholesky(torch::linalg_inv(damped_covariance(x)), true);
  auto rest = weight.to(torch::kFloat64).clone();
  auto codes = torch::empty_like(rest);
  for (int64_t j = 0; j < rest.size(1); ++j) {
    const auto code = (rest.select(1, j) / scale).round().clamp(-127, 127);
    codes.select(1, j).copy_(code);
    const auto error = (rest.select(1, j) - code * scale) / factor[j][j];
    rest -= torch::outer(error, factor[j]);
  }
  return codes;
}

// More columns than are rounded in one block, and a number that no block divides.
class AdaptiveRoundingOfManyColumns : public ::testing::Test {
 protected:
  static constexpr int64_t kColumns = 300;

  AdaptiveRoundingOfManyColumns() {
    torch::manual_seed(11);
    x_ = torch::randn({2000, 12}).matmul(torch::randn({12, kColumns})) +
         torch::randn({2000, kColumns}) + 3;
    weight_ = 0.1 * torch::randn({5, kColumns});
  }

  torch::Tensor x_, weight_;
};

TEST_F(AdaptiveRoundingOfManyColumns, GivesTheCodesOfGptq) {
  const double scale = 0.05;
  const auto expected = gptq_codes(x_, weight_, scale);
  const auto rounded = AdaptiveRounding(x_).round(weight_, torch::full({1}, scale));
  const auto codes = (rounded.to(torch::kFloat64) / scale).round();
  EXPECT_TRUE(torch::allclose(rounded.to(torch::kFloat64), codes * scale, 0, 1e-6));
  // float32 may round a value that lies between two codes the other way.
  EXPECT_GE(codes.eq(expected).to(torch::kFloat64).mean().item<double>(), 0.99);
  EXPECT_GT(codes.ne((weight_ / scale).round()).sum().item<int64_t>(), 100);
}

TEST_F(AdaptiveRoundingOfManyColumns, RefitsByRidgeRegression) {
  const auto targets = x_.matmul(0.1 * torch::randn({kColumns, 5})) - 2;
  const auto centred = (x_ - x_.mean(0, true)).to(torch::kFloat64);
  const auto missing =
      targets.to(torch::kFloat64) - centred.matmul(weight_.t().to(torch::kFloat64));
  const auto pull = (missing - missing.mean(0, true)).t().matmul(centred) / 2000.0;
  const auto expected = weight_ + pull.matmul(torch::linalg_inv(damped_covariance(x_)));
  const auto moved = AdaptiveRounding(x_).refit(weight_, targets);
  EXPECT_TRUE(torch::allclose(moved.to(torch::kFloat64), expected, 1e-3, 1e-3));
}

// Six correlated inputs: of all 2^6 ways to round up or down, found one by one, the adaptive one
// comes close to the best, and rounding to nearest does not.
TEST(AdaptiveRounding, ComesCloseToTheBestOfAllRoundings) {
  torch::manual_seed(5);
  const int64_t inputs = 6;
  const auto common = torch::randn({500, 1});
  const auto x = common + 0.3 * torch::randn({500, inputs});
  const auto weight = torch::tensor({{0.4F, 0.4F, 0.45F, 0.4F, 0.35F, 0.4F}});
  const auto scale = torch::ones({1});
  const auto centred = x - x.mean(0, true);
  const auto error = [&](const torch::Tensor& rounded) {
    return centred.matmul((weight - rounded).t()).square().mean().item<double>();
  };
  double best = 1e9;
  for (int way = 0; way < 64; ++way) {
    auto rounded = torch::zeros({1, inputs});
    for (int64_t i = 0; i < inputs; ++i) rounded[0][i] = (way >> i) & 1;
    best = std::min(best, error(rounded));
  }
  const double nearest = error(torch::zeros({1, inputs}));
  const double adaptive = error(AdaptiveRounding(x).round(weight, scale));
  EXPECT_GT(nearest, 5 * best);
  EXPECT_LT(adaptive, 1.5 * best);
}

TEST(AdaptiveRounding, RefitFollowsTheTargets) {
  torch::manual_seed(6);
  const auto x = torch::randn({4000, 3});
  const auto wanted = torch::tensor({{1.F, -2.F, 0.5F}});
  const auto start = torch::tensor({{1.2F, -2.1F, 0.3F}});
  const auto moved = AdaptiveRounding(x).refit(start, x.matmul(wanted.t()) + 7);
  EXPECT_TRUE(torch::allclose(moved, wanted, 0, 0.01));
}

}  // namespace
}  // namespace dualdepth::quantize
