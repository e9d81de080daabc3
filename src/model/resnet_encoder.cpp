#include "dualdepth/model/resnet_encoder.h"

#include <torch/nn/functional/pooling.h>
#include <torch/nn/init.h>

#include <optional>
#include <string>
#include <vector>

#include "dualdepth/model/scaled_channels.h"

namespace dualdepth {
namespace {

// The convolutions of one residual block.
std::vector<ConvShape> block_shapes(bool bottleneck, int64_t in, int64_t width, int64_t stride) {
  if (!bottleneck) return {{in, width, 3, stride}, {width, width, 3, 1}};  // ResNet-18 and 34
  // ResNet-50: down, 3x3, up. The stride sits at the 3x3, as in torchvision.
  return {{in, width, 1, 1}, {width, width, 3, stride}, {width, 4 * width, 1, 1}};
}

// y = relu(convs(x) + x), with a 1x1 projection of x where size or width changes.
class ResidualBlockImpl : public torch::nn::Module {
 public:
  ResidualBlockImpl(bool bottleneck, int64_t in, int64_t width, int64_t stride) {
    const auto shapes = block_shapes(bottleneck, in, width, stride);
    for (size_t i = 0; i < shapes.size(); ++i) {
      const auto number = std::to_string(i + 1);
      convs_.emplace_back(*this, "conv" + number, "bn" + number, shapes[i]);
    }
    const int64_t out = shapes.back().out;
    if (stride == 1 && in == out) return;
    const auto downsample = register_module("downsample", std::make_shared<torch::nn::Module>());
    projection_.emplace(*downsample, "0", "1", ConvShape{in, out, 1, stride});
  }

  torch::Tensor forward(const torch::Tensor& x) {
    auto y = x;
    for (size_t i = 0; i + 1 < convs_.size(); ++i) y = convs_[i](y).relu_();
    y = convs_.back()(y);
    return y.add_(projection_ ? (*projection_)(x) : x).relu_();
  }

  template <class Visitor>
  void each_conv(const Visitor& visit) {
    for (auto& conv : convs_) visit(conv);
    if (projection_) visit(*projection_);
  }

 private:
  std::vector<ConvBatchNorm> convs_;
  std::optional<ConvBatchNorm> projection_;
};
TORCH_MODULE(ResidualBlock);
std::array<int, 4> blocks_of(EncoderKind kind) {
  return kind == EncoderKind::kResNet18 ? std::array{2, 2, 2, 2} : std::array{3, 4, 6, 3};
}

template <class Visitor>
void each_block_conv(torch::nn::Module& encoder, const Visitor& visit) {
  for (const auto& module : encoder.modules(/*include_self=*/false)) {
    if (auto* block = module->as<ResidualBlock>()) block->each_conv(visit);
  }
}

}  // namespace

ResNetEncoderImpl::ResNetEncoderImpl(EncoderKind kind, double width)
    : base_channels_(scaled_channels(64, width)),
      stem_(*this, "conv1", "bn1", {.in = 3, .out = base_channels_, .kernel = 7, .stride = 2}) {
  const bool bottleneck = kind == EncoderKind::kResNet50;
  const int64_t expanded = base_channels_ * (bottleneck ? 4 : 1);
  channels_ = {base_channels_, expanded, 2 * expanded, 4 * expanded, 8 * expanded};
  const auto blocks = blocks_of(kind);
  for (size_t i = 0; i < layers_.size(); ++i) {
    torch::nn::Sequential layer;
    for (int block = 0; block < blocks[i]; ++block) {
      const bool first = block == 0;
      layer->push_back(ResidualBlock(bottleneck, channels_[first ? i : i + 1], base_channels_ << i,
                                     first && i > 0 ? 2 : 1));
    }
    layers_[i] = register_module("layer" + std::to_string(i + 1), layer);
  }
  for (const auto& module : modules(/*include_self=*/false)) {
    if (const auto* convolution = module->as<torch::nn::Conv2d>()) {
      torch::nn::init::kaiming_normal_(convolution->weight, /*a=*/0, torch::kFanOut, torch::kReLU);
    }
  }
}

EncoderFeatures ResNetEncoderImpl::forward(const torch::Tensor& image) {
  EncoderFeatures features;
  features[0] = stem_(image).relu_();
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

void ResNetEncoderImpl::fold_batch_norm() {
  TORCH_CHECK(!is_training(), "fold_batch_norm: in evaluation mode");
  stem_.fold();
  each_block_conv(*this, [](ConvBatchNorm& conv) { conv.fold(); });
}

void ResNetEncoderImpl::train(bool on) {
  torch::nn::Module::train(on);
  stem_.unfold();
  each_block_conv(*this, [](ConvBatchNorm& conv) { conv.unfold(); });
  if (!batch_norm_frozen_) return;
  for (const auto& module : modules(/*include_self=*/false)) {
    if (module->as<torch::nn::BatchNorm2d>() != nullptr) module->eval();
  }
}

}  // namespace dualdepth
