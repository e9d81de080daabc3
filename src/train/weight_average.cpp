#include "dualdepth/train/weight_average.h"

#include <algorithm>

namespace dualdepth {

WeightAverage::WeightAverage(double decay, const NamedTensors& tensors) : decay_(decay) {
  for (const auto& [name, tensor] : tensors) averages_[name] = tensor.detach().clone();
}

void WeightAverage::update(const NamedTensors& tensors, int64_t updates_before) {
  const torch::NoGradGuard no_grad;
  const auto n = static_cast<double>(updates_before);
  const double decay = std::min(decay_, (1 + n) / (10 + n));
  for (auto& [name, average] : averages_) {
    const torch::Tensor& tensor = tensors.at(name);
    if (average.is_floating_point()) {
      average.lerp_(tensor, 1 - decay);
    } else {
      average.copy_(tensor);
    }
  }
}

}  // namespace dualdepth
