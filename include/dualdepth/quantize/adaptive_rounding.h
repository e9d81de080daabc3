#pragma once

#include <torch/types.h>

#include <vector>

namespace dualdepth::quantize {

// Rounds the filters W [O, D] of a layer so that its output on sampled inputs X [P, D] errs least,
// instead of each weight alone:
//
//   min over Q on the grid of |(X - mean X) (W - Q)^T|^2
//
// With H = cov(X) + 0.01 mean(diag) I = R R^T, R upper triangular, that is the least |(W - Q) R|^2.
// Component j of a row depends on the columns up to j only, so that column j is rounded to where
// it cancels what the columns before it left:
//
//   Q_j = round(W_j + sum over i < j of (W_i - Q_i) R_ij / R_jj)
//
// These are the values of GPTQ (Frantar et al., 2023, after Hassibi and Stork, Optimal Brain
// Surgeon, 1993), which computes them from the Cholesky factor of the inverse of H; H is factored
// once here and never inverted. The mean of X is left to the bias.
//
// X: float, P from 1; scale: float [1] or [O]. round() returns Q, float [O, D] on the grid.
class AdaptiveRounding {
 public:
  explicit AdaptiveRounding(const torch::Tensor& inputs);

  torch::Tensor round(const torch::Tensor& weight, const torch::Tensor& scale) const;

  // W moved so that X gives `targets` [P, O], up to a constant: least squares, kept near W by the
  // same damping. It makes up for what rounding of earlier layers did to X, as far as that is
  // linear.
  torch::Tensor refit(const torch::Tensor& weight, const torch::Tensor& targets) const;

 private:
  void factorize();
  // V of V H = values, [O, D].
  torch::Tensor solve(const torch::Tensor& values) const;

  torch::Tensor inputs_;                 // centred
  torch::Tensor factor_;                 // R; undefined values below its diagonal blocks
  std::vector<torch::Tensor> inverses_;  // of the diagonal blocks of R
};

}  // namespace dualdepth::quantize
