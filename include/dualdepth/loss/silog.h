#pragma once

#include <torch/types.h>

namespace dualdepth {

// Scale-invariant log error (Eigen, Puhrsch, Fergus 2014) over the pixels where `counts` is 1:
//
//   e = ln p - ln d,   silog = sqrt(mean e^2 - lambda (mean e)^2 + 1e-8)
//
// lambda 0 is the root mean square log error, lambda 1 forgives a common factor entirely. The 1e-8
// keeps the gradient finite at p = d, where silog is 1e-4.
// prediction: float [P], > 0; depth: float [P], > 0 in metres; counts: float [P] of 0 and 1 with at
// least one 1. Returns a scalar.
torch::Tensor silog(const torch::Tensor& prediction, const torch::Tensor& depth,
                    const torch::Tensor& counts, double lambda);

}  // namespace dualdepth
