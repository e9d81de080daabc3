#include "dualdepth/model/resnet_encoder.h"

#include <fmt/format.h>
#include <torch/nn/functional/pooling.h>

#include <algorithm>
#include <string>

#include "dualdepth/model/scaled_channels.h"

namespace dualdepth {
namespace {

struct Depth {
  std::array<int, 4> blocks;  // of each layer
  bool has_bottlenecks;
};

Depth depth_of(EncoderKind kind) {
  switch (kind) {
    case EncoderKind::kResNet18:
      return {{2, 2, 2, 2}, false};
    case EncoderKind::kResNet34:
      return {{3, 4, 6, 3}, false};
    case EncoderKind::kResNet101:
      return {{3, 4, 23, 3}, true};
    default:
      return {{3, 4, 6, 3}, true};
  }
}

// The convolutions of one residual block.
std::vector<ConvShape> block_shapes(bool bottleneck, int64_t in, int64_t width, int64_t stride) {
  if (!bottleneck) return {{in, width, 3, stride}, {width, width, 3, 1}};
  // Down, 3x3, up. The stride sits at the 3x3, as in torchvision.
  return {{in, width, 1, 1}, {width, width, 3, stride}, {width, 4 * width, 1, 1}};
}

}  // namespace

ResNetEncoder::ResNetEncoder(EncoderKind kind, double width) {
  const Depth depth = depth_of(kind);
  const int64_t base = scaled_channels(64, width);
  stem_ = &add("conv1", "bn1", {.in = 3, .out = base, .kernel = 7, .stride = 2});
  const int64_t expansion = depth.has_bottlenecks ? 4 : 1;
  int64_t in = base;
  for (size_t i = 0; i < layers_.size(); ++i) {
    for (int block = 0; block < depth.blocks[i]; ++block) {
      const int64_t stride = block == 0 && i > 0 ? 2 : 1;
      const auto name = fmt::format("layer{}.{}", i + 1, block);
      layers_[i].push_back(
          add_block(name, block_shapes(depth.has_bottlenecks, in, base << i, stride)));
      in = (base << i) * expansion;
    }
  }
  const int64_t expanded = base * expansion;
  finish({base, expanded, 2 * expanded, 4 * expanded, 8 * expanded});
}

ResNetEncoder::Block ResNetEncoder::add_block(const std::string& name,
                                              const std::vector<ConvShape>& shapes) {
  Block block;
  int64_t stride = 1;
  for (size_t i = 0; i < shapes.size(); ++i) {
    block.convs.push_back(&add(fmt::format("{}.conv{}", name, i + 1),
                               fmt::format("{}.bn{}", name, i + 1), shapes[i]));
    stride *= shapes[i].stride;
  }
  const int64_t in = shapes.front().in;
  const int64_t out = shapes.back().out;
  if (stride != 1 || in != out) {
    block.projection = &add(name + ".downsample.0", name + ".downsample.1", {in, out, 1, stride});
  }
  return block;
}

torch::Tensor ResNetEncoder::Block::operator()(const torch::Tensor& x) const {
  auto y = x;
  for (size_t i = 0; i + 1 < convs.size(); ++i) y = (*convs[i])(y).relu_();
  y = (*convs.back())(y);
  return y.add_(projection != nullptr ? (*projection)(x) : x).relu_();
}

EncoderFeatures ResNetEncoder::forward(const torch::Tensor& image) {
  EncoderFeatures features;
  features[0] = (*stem_)(image).relu_();
  auto x = torch::max_pool2d(features[0], /*kernel_size=*/3, /*stride=*/2, /*padding=*/1);
  for (size_t i = 0; i < layers_.size(); ++i) {
    for (const Block& block : layers_[i]) x = block(x);
    features[i + 1] = x;
  }
  return features;
}

}  // namespace dualdepth
