#pragma once

#include <gtest/gtest.h>
#include <torch/types.h>

#include <functional>

namespace dualdepth {

// Expects the gradient of a scalar function at `input` (float64) to equal central differences.
inline void expect_gradient_is_exact(
    const std::function<torch::Tensor(const torch::Tensor&)>& function,
    const torch::Tensor& input) {
  constexpr double kStep = 1e-5;
  const auto leaf = input.clone().requires_grad_(true);
  function(leaf).backward();
  const auto gradient = leaf.grad();
  const at::NoGradGuard no_grad;
  const auto difference = torch::empty_like(input);
  for (int64_t i = 0; i < input.numel(); ++i) {
    const auto moved = [&](double by) {
      auto copy = input.clone();
      copy.view(-1)[i] += by;
      return function(copy).item<double>();
    };
    difference.view(-1)[i] = (moved(kStep) - moved(-kStep)) / (2 * kStep);
  }
  EXPECT_TRUE(torch::allclose(gradient, difference, /*rtol=*/1e-6, /*atol=*/1e-8))
      << "gradient " << gradient << "\ndifferences " << difference;
}

}  // namespace dualdepth
