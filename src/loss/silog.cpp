#include "dualdepth/loss/silog.h"

namespace dualdepth {

torch::Tensor silog(const torch::Tensor& prediction, const torch::Tensor& depth,
                    const torch::Tensor& counts, double lambda) {
  constexpr double kEpsilon = 1e-8;
  const auto n = counts.sum();
  const auto error = (prediction.log() - depth.log()) * counts;
  const auto mean = error.sum() / n;
  const auto mean_square = error.square().sum() / n;
  return (mean_square - lambda * mean.square() + kEpsilon).sqrt();
}

}  // namespace dualdepth
