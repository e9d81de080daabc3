#include "dualdepth/model/inverted_residual.h"

namespace dualdepth {

torch::Tensor activate(Activation activation, torch::Tensor x) {
  switch (activation) {
    case Activation::kRelu:
      return x.relu_();
    case Activation::kRelu6:
      return torch::hardtanh_(x, 0, 6);
    case Activation::kHardSwish:
      break;
  }
  return torch::hardswish_(x);
}

torch::Tensor SqueezeExcitation::operator()(const torch::Tensor& x) {
  const auto mean = x.mean({2, 3}, /*keepdim=*/true);
  return x * torch::hardsigmoid(up(down(mean).relu_()));
}

torch::Tensor InvertedResidual::operator()(const torch::Tensor& x) {
  auto y = x;
  if (expand != nullptr) y = activate(activation, (*expand)(y));
  y = activate(activation, (*depthwise)(y));
  if (squeeze) y = (*squeeze)(y);
  y = (*project)(y);
  return is_residual ? y.add_(x) : y;
}

}  // namespace dualdepth
