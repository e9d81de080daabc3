#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/types.h>

#include <cstdint>
#include <optional>

#include "dualdepth/model/conv_batch_norm.h"

namespace dualdepth {

// max(x, 0), min(max(x, 0), 6), and x min(max(x + 3, 0), 6) / 6.
enum class Activation { kRelu, kRelu6, kHardSwish };

// Overwrites x with its activation and returns it.
torch::Tensor activate(Activation activation, torch::Tensor x);

// Weighs the channels of a map by what its mean says (Hu et al., "Squeeze-and-Excitation Networks",
// 2018; the hardsigmoid is MobileNetV3's):
//
//   y = x min(max(s + 3, 0), 6) / 6,   s = up(relu(down(mean of x over height and width)))
struct SqueezeExcitation {
  torch::nn::Conv2d down, up;  // 1x1 with biases

  torch::Tensor operator()(const torch::Tensor& x);
};

// Inverted residual block (Sandler et al., "MobileNetV2: Inverted Residuals and Linear
// Bottlenecks", 2018), a the activation:
//
//   y = a(expand(x))     1x1, where there is one
//   y = a(depthwise(y))  stride 1 or 2
//   y = squeeze(y)       where there is one
//   y = project(y)       1x1 without activation
//   y = y + x            where it is residual
struct InvertedResidual {
  ConvBatchNorm* expand = nullptr;  // of the encoder
  ConvBatchNorm* depthwise = nullptr;
  std::optional<SqueezeExcitation> squeeze = {};
  ConvBatchNorm* project = nullptr;
  Activation activation = Activation::kRelu6;
  bool is_residual = false;
  bool halves_size = false;

  torch::Tensor operator()(const torch::Tensor& x);
};

}  // namespace dualdepth
