#include "dualdepth/loss/activation_loss.h"

namespace dualdepth {

torch::Tensor activation_loss(std::span<const torch::Tensor> maps) {
  torch::Tensor sum;
  for (const torch::Tensor& map : maps) {
    // As a norm: no squared copy of a map, and sums in float.
    const auto type = map.scalar_type() == torch::kFloat64 ? torch::kFloat64 : torch::kFloat32;
    const auto norm = torch::linalg_vector_norm(map, 2, c10::nullopt, /*keepdim=*/false, type);
    const auto mean_square = norm.square() / static_cast<double>(map.numel());
    sum = sum.defined() ? sum + mean_square : mean_square;
  }
  return sum / static_cast<double>(maps.size());
}

}  // namespace dualdepth
