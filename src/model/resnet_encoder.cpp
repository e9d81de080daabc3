#include "dualdepth/model/resnet_encoder.h"

#include <torch/nn/functional/pooling.h>
#include <torch/nn/init.h>

#include <string>

namespace dualdepth {
namespace {

torch::nn::Conv2d conv(int64_t in, int64_t out, int64_t kernel, int64_t stride) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

// The 1x1 projection that a block's shortcut needs where size or width changes; empty elsewhere.
torch::nn::Sequential projection(int64_t in, int64_t out, int64_t stride) {
  if (stride == 1 && in == out) return nullptr;
  return torch::nn::Sequential(conv(in, out, 1, stride), torch::nn::BatchNorm2d(out));
}

// Two 3x3 convolutions: ResNet-18 and 34.
class BasicBlockImpl : public torch::nn::Module {
 public:
  static constexpr int64_t kExpansion = 1;

  BasicBlockImpl(int64_t in, int64_t width, int64_t stride)
      : conv1_(register_module("conv1", conv(in, width, 3, stride))),
        bn1_(register_module("bn1", torch::nn::BatchNorm2d(width))),
        conv2_(register_module("conv2", conv(width, width, 3, 1))),
        bn2_(register_module("bn2", torch::nn::BatchNorm2d(width))),
        downsample_(projection(in, width, stride)) {
    if (downsample_) register_module("downsample", downsample_);
  }

  torch::Tensor forward(const torch::Tensor& x) {
    auto y = bn1_(conv1_(x)).relu_();
    y = bn2_(conv2_(y));
    return y.add_(downsample_ ? downsample_->forward(x) : x).relu_();
  }

 private:
  torch::nn::Conv2d conv1_;
  torch::nn::BatchNorm2d bn1_;
  torch::nn::Conv2d conv2_;
  torch::nn::BatchNorm2d bn2_;
  torch::nn::Sequential downsample_;
};
TORCH_MODULE(BasicBlock);

// 1x1 down, 3x3, 1x1 up to four times the width: ResNet-50. The stride sits at the 3x3, as in
// torchvision.
class BottleneckImpl : public torch::nn::Module {
 public:
  static constexpr int64_t kExpansion = 4;

  BottleneckImpl(int64_t in, int64_t width, int64_t stride)
      : conv1_(register_module("conv1", conv(in, width, 1, 1))),
        bn1_(register_module("bn1", torch::nn::BatchNorm2d(width))),
        conv2_(register_module("conv2", conv(width, width, 3, stride))),
        bn2_(register_module("bn2", torch::nn::BatchNorm2d(width))),
        conv3_(register_module("conv3", conv(width, kExpansion * width, 1, 1))),
        bn3_(register_module("bn3", torch::nn::BatchNorm2d(kExpansion * width))),
        downsample_(projection(in, kExpansion * width, stride)) {
    if (downsample_) register_module("downsample", downsample_);
  }

  torch::Tensor forward(const torch::Tensor& x) {
    auto y = bn1_(conv1_(x)).relu_();
    y = bn2_(conv2_(y)).relu_();
    y = bn3_(conv3_(y));
    return y.add_(downsample_ ? downsample_->forward(x) : x).relu_();
  }

 private:
  torch::nn::Conv2d conv1_;
  torch::nn::BatchNorm2d bn1_;
  torch::nn::Conv2d conv2_;
  torch::nn::BatchNorm2d bn2_;
  torch::nn::Conv2d conv3_;
  torch::nn::BatchNorm2d bn3_;
  torch::nn::Sequential downsample_;
};
TORCH_MODULE(Bottleneck);

std::array<int, 4> blocks_of(EncoderKind kind) {
  return kind == EncoderKind::kResNet18 ? std::array{2, 2, 2, 2} : std::array{3, 4, 6, 3};
}

template <class Block>
torch::nn::Sequential make_layer(int64_t in, int64_t width, int blocks, int64_t stride) {
  torch::nn::Sequential layer;
  layer->push_back(Block(in, width, stride));
  for (int i = 1; i < blocks; ++i) {
    layer->push_back(Block(width * Block::ContainedType::kExpansion, width, 1));
  }
  return layer;
}

}  // namespace

ResNetEncoderImpl::ResNetEncoderImpl(EncoderKind kind) {
  const bool bottleneck = kind == EncoderKind::kResNet50;
  const int64_t expansion = bottleneck ? BottleneckImpl::kExpansion : BasicBlockImpl::kExpansion;
  channels_ = {64, 64 * expansion, 128 * expansion, 256 * expansion, 512 * expansion};
  conv1_ = register_module("conv1", conv(3, 64, 7, 2));
  bn1_ = register_module("bn1", torch::nn::BatchNorm2d(64));
  const auto blocks = blocks_of(kind);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const int64_t width = int64_t{64} << i;
    const int64_t stride = i == 0 ? 1 : 2;
    layers_[i] = bottleneck ? make_layer<Bottleneck>(channels_[i], width, blocks[i], stride)
                            : make_layer<BasicBlock>(channels_[i], width, blocks[i], stride);
    register_module("layer" + std::to_string(i + 1), layers_[i]);
  }
  for (const auto& module : modules(/*include_self=*/false)) {
    if (const auto* convolution = module->as<torch::nn::Conv2d>()) {
      torch::nn::init::kaiming_normal_(convolution->weight, /*a=*/0, torch::kFanOut, torch::kReLU);
    }
  }
}

EncoderFeatures ResNetEncoderImpl::forward(const torch::Tensor& image) {
  EncoderFeatures features;
  features[0] = bn1_(conv1_(image)).relu_();
  auto x = torch::max_pool2d(features[0], /*kernel_size=*/3, /*stride=*/2, /*padding=*/1);
  for (size_t i = 0; i < layers_.size(); ++i) {
    x = layers_[i]->forward(x);
    features[i + 1] = x;
  }
  return features;
}

void ResNetEncoderImpl::freeze_batch_norm() {
  batch_norm_frozen_ = true;
  train(is_training());
}

void ResNetEncoderImpl::train(bool on) {
  torch::nn::Module::train(on);
  if (!batch_norm_frozen_) return;
  for (const auto& module : modules(/*include_self=*/false)) {
    if (module->as<torch::nn::BatchNorm2d>() != nullptr) module->eval();
  }
}

}  // namespace dualdepth
