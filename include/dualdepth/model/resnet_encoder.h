#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <array>
#include <cstdint>

#include "dualdepth/config/model_options.h"
#include "dualdepth/model/conv_batch_norm.h"

namespace dualdepth {

// The encoder's outputs, fine to coarse: relu(bn1), layer1, layer2, layer3, layer4 at 1/2, 1/4,
// 1/8, 1/16 and 1/32 of the input's size.
using EncoderFeatures = std::array<torch::Tensor, 5>;

// Residual network (He et al., "Deep Residual Learning for Image Recognition", 2016) without its
// classifier. Parameters carry torchvision's names (conv1, bn1, layer1.0.conv1 ...
// layer2.0.downsample.0), so published weights load. Convolutions start from He's normal
// distribution (fan out), as torchvision's do.
class ResNetEncoderImpl : public torch::nn::Module {
 public:
  explicit ResNetEncoderImpl(EncoderKind kind, double width = 1);

  // image: float [N, 3, H, W], normalised; H and W multiples of 32.
  EncoderFeatures forward(const torch::Tensor& image);

  // Channels of each output: {64, 64, 128, 256, 512} times width, from the second on times 4 for
  // ResNet-50.
  const std::array<int64_t, 5>& channels() const { return channels_; }

  // From now on train() leaves every batch norm in evaluation mode: its statistics stay as they
  // are, its scale and shift still learn.
  void freeze_batch_norm();
  bool batch_norm_frozen() const { return batch_norm_frozen_; }

  // Prediction alone: from now on each convolution and its batch norm are computed as one (see
  // ConvBatchNorm), with the parameters as they are now; until train() or eval() is called again.
  void fold_batch_norm();

  void train(bool on = true) override;

 private:
  int64_t base_channels_;
  std::array<int64_t, 5> channels_{};
  bool batch_norm_frozen_ = false;
  ConvBatchNorm stem_;
  std::array<torch::nn::Sequential, 4> layers_{nullptr, nullptr, nullptr, nullptr};
};
TORCH_MODULE(ResNetEncoder);

}  // namespace dualdepth
