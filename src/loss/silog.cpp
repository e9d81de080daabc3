#include "dualdepth/loss/silog.h"

namespace dualdepth {

torch::Tensor silog(const torch::Tensor& prediction, const torch::Tensor& depth,
                    const torch::Tensor& counts, double lambda) {
  constexpr double kEpsilon = 1e-8;
  const auto n = counts.sum();
  const auto error = prediction.log() - depth.log();
  const auto mean = (error * counts).sum() / n;
  // mean e^2 - lambda (mean e)^2 as a sum of two squares: a difference of rounded numbers may be
  // negative where it is nearly 0, and its root NaN.
  const auto variance = ((error - mean).square() * counts).sum() / n;
  return (variance + (1 - lambda) * mean.square() + kEpsilon).sqrt();
}

}  // namespace dualdepth
