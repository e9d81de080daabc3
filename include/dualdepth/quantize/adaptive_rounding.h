#pragma once

#include <torch/types.h>

namespace dualdepth::quantize {

// Rounds the filters W [O, D] of a layer so that its output on sampled inputs X [P, D] errs least,
// instead of each weight alone:
//
//   min over Q on the grid of |(X - mean X) (W - Q)^T|^2
//
// column by column: the error of a column that was rounded is spread over the columns to come with
// the inverse of H = cov(X) + 0.01 mean(diag) I (Hassibi and Stork, Optimal Brain Surgeon, 1993;
// Frantar et al., GPTQ, 2023). The mean of X is left to the bias.
//
// scale: float [1] or [O]. Returns Q, float [O, D] on the grid.
class AdaptiveRounding {
 public:
  explicit AdaptiveRounding(const torch::Tensor& inputs);

  torch::Tensor round(const torch::Tensor& weight, const torch::Tensor& scale) const;

  // W moved so that X says what `targets` [P, O] say, up to a constant: least squares, held to W by
  // the same damping. What rounding of earlier layers did to X is made good as far as it is linear.
  torch::Tensor refit(const torch::Tensor& weight, const torch::Tensor& targets) const;

 private:
  torch::Tensor inputs_;   // centred
  torch::Tensor inverse_;  // of H
  torch::Tensor factor_;   // upper Cholesky factor of the inverse
};

}  // namespace dualdepth::quantize
