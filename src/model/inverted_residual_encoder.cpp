#include "dualdepth/model/inverted_residual_encoder.h"

#include <fmt/format.h>
#include <torch/nn/init.h>

#include <string>

#include "dualdepth/model/scaled_channels.h"
#include "module_path.h"

namespace dualdepth {
namespace {

// Blocks of one kind; the first of them has the stride.
struct Stage {
  double expansion;
  int64_t channels;
  int64_t blocks;
  int64_t stride;
  int64_t kernel = 3;
  Activation activation = Activation::kRelu6;
  bool squeezes = false;
};

struct Network {
  int64_t stem_channels;
  Activation stem_activation;
  NormConstants constants;
  std::vector<Stage> stages;
};

Network mobilenet_v2() {
  return {.stem_channels = 32,
          .stem_activation = Activation::kRelu6,
          .constants = {},
          .stages = {{1, 16, 1, 1},
                     {6, 24, 2, 2},
                     {6, 32, 3, 2},
                     {6, 64, 4, 2},
                     {6, 96, 3, 1},
                     {6, 160, 3, 2},
                     {6, 320, 1, 1}}};
}

Network mobilenet_v3_large() {
  constexpr auto kRelu = Activation::kRelu;
  constexpr auto kSwish = Activation::kHardSwish;
  return {.stem_channels = 16,
          .stem_activation = kSwish,
          .constants = {.eps = 1e-3, .momentum = 0.01},
          .stages = {{1, 16, 1, 1, 3, kRelu},
                     {4, 24, 1, 2, 3, kRelu},
                     {3, 24, 1, 1, 3, kRelu},
                     {3, 40, 3, 2, 5, kRelu, true},
                     {6, 80, 1, 2, 3, kSwish},
                     {2.5, 80, 1, 1, 3, kSwish},
                     {2.3, 80, 2, 1, 3, kSwish},
                     {6, 112, 2, 1, 3, kSwish, true},
                     {6, 160, 3, 2, 5, kSwish, true}}};
}

Network efficientnet_lite0() {
  return {.stem_channels = 32,
          .stem_activation = Activation::kRelu6,
          .constants = {},
          .stages = {{1, 16, 1, 1},
                     {6, 24, 2, 2},
                     {6, 40, 2, 2, 5},
                     {6, 80, 3, 2},
                     {6, 112, 3, 1, 5},
                     {6, 192, 4, 2, 5},
                     {6, 320, 1, 1}}};
}

Network network_of(EncoderKind kind) {
  if (kind == EncoderKind::kMobileNetV2) return mobilenet_v2();
  if (kind == EncoderKind::kMobileNetV3Large) return mobilenet_v3_large();
  return efficientnet_lite0();
}

// torchvision's rule for a quarter of the channels: a multiple of 8 that is at least 9/10 of it.
int64_t squeezed_channels(int64_t channels) {
  const int64_t rounded = scaled_channels(channels, 0.25);
  return 40 * rounded < 9 * channels ? rounded + 8 : rounded;
}

torch::nn::Conv2d pointwise(int64_t in, int64_t out) {
  torch::nn::Conv2d conv(torch::nn::Conv2dOptions(in, out, 1));
  torch::nn::init::kaiming_normal_(conv->weight, /*a=*/0, torch::kFanOut, torch::kReLU);
  torch::nn::init::zeros_(conv->bias);
  return conv;
}

}  // namespace

struct InvertedResidualEncoder::Shape {
  int64_t in, expanded, out, kernel, stride;
  Activation activation;
  bool squeezes;

  bool expands() const { return expanded != in; }
};

// Of a block's modules; `expand` is not used by a block that does not expand.
struct InvertedResidualEncoder::Names {
  struct Pair {
    std::string conv, norm;
  };
  Pair expand, depthwise, project;
  std::string squeeze;

  // "features.2.conv": two convolutions with activation, each a module with its batch norm, then
  // the third and its batch norm.
  static Names mobilenet_v2(const std::string& block, bool expands) {
    const auto numbered = [&](int64_t i) {
      return Pair{fmt::format("{}.{}.0", block, i), fmt::format("{}.{}.1", block, i)};
    };
    const int64_t last = expands ? 2 : 1;
    return {.expand = numbered(0),
            .depthwise = numbered(last - 1),
            .project = {fmt::format("{}.{}", block, last), fmt::format("{}.{}", block, last + 1)},
            .squeeze = ""};
  }

  // "features.4.block": a module for each convolution with its batch norm.
  static Names mobilenet_v3(const std::string& block, const Shape& shape) {
    int64_t i = 0;
    const auto next = [&] {
      const auto name = fmt::format("{}.{}", block, i++);
      return Pair{name + ".0", name + ".1"};
    };
    Names names;
    if (shape.expands()) names.expand = next();
    names.depthwise = next();
    if (shape.squeezes) names.squeeze = fmt::format("{}.{}", block, i++);
    names.project = next();
    return names;
  }

  // "blocks.1.0"
  static Names timm(const std::string& block, bool expands) {
    const auto named = [&](const char* conv, const char* norm) {
      return Pair{block + "." + conv, block + "." + norm};
    };
    if (!expands) {
      return {.expand = {},
              .depthwise = named("conv_dw", "bn1"),
              .project = named("conv_pw", "bn2"),
              .squeeze = ""};
    }
    return {.expand = named("conv_pw", "bn1"),
            .depthwise = named("conv_dw", "bn2"),
            .project = named("conv_pwl", "bn3"),
            .squeeze = ""};
  }

  static Names of(EncoderKind kind, size_t stage, int64_t in_stage, size_t block,
                  const Shape& shape) {
    if (kind == EncoderKind::kMobileNetV2) {
      return mobilenet_v2(fmt::format("features.{}.conv", block), shape.expands());
    }
    if (kind == EncoderKind::kMobileNetV3Large) {
      return mobilenet_v3(fmt::format("features.{}.block", block), shape);
    }
    return timm(fmt::format("blocks.{}.{}", stage, in_stage), shape.expands());
  }
};

InvertedResidualEncoder::InvertedResidualEncoder(EncoderKind kind, double width) {
  const Network network = network_of(kind);
  const bool is_timms = kind == EncoderKind::kEfficientNetLite0;
  int64_t in = scaled_channels(network.stem_channels, width);
  stem_activation_ = network.stem_activation;
  stem_ = &add(is_timms ? "conv_stem" : "features.0.0", is_timms ? "bn1" : "features.0.1",
               {.in = 3, .out = in, .kernel = 3, .stride = 2}, network.constants);
  std::array<int64_t, 5> channels{};
  size_t map = 0;
  for (size_t s = 0; s < network.stages.size(); ++s) {
    const Stage& stage = network.stages[s];
    for (int64_t i = 0; i < stage.blocks; ++i) {
      const Shape shape{.in = in,
                        .expanded = scaled_channels(in, stage.expansion),
                        .out = scaled_channels(stage.channels, width),
                        .kernel = stage.kernel,
                        .stride = i == 0 ? stage.stride : 1,
                        .activation = stage.activation,
                        .squeezes = stage.squeezes};
      if (shape.stride == 2) channels.at(map++) = in;
      const Names names = Names::of(kind, s, i, blocks_.size() + 1, shape);
      blocks_.push_back(add_block(names, shape, network.constants));
      in = shape.out;
    }
  }
  channels.at(map) = in;
  finish(channels);
}

InvertedResidual InvertedResidualEncoder::add_block(const Names& names, const Shape& shape,
                                                    const NormConstants& constants) {
  const auto [in, expanded, out, kernel, stride, activation, squeezes] = shape;
  const auto add_conv = [&](const Names::Pair& pair, const ConvShape& conv) {
    return &add(pair.conv, pair.norm, conv, constants);
  };
  InvertedResidual block;
  if (shape.expands()) block.expand = add_conv(names.expand, {in, expanded, 1, 1});
  block.depthwise = add_conv(names.depthwise, {expanded, expanded, kernel, stride, expanded});
  if (squeezes) {
    const int64_t squeezed = squeezed_channels(expanded);
    block.squeeze = {register_at(*this, names.squeeze + ".fc1", pointwise(expanded, squeezed)),
                     register_at(*this, names.squeeze + ".fc2", pointwise(squeezed, expanded))};
  }
  block.project = add_conv(names.project, {expanded, out, 1, 1});
  block.activation = activation;
  block.is_residual = stride == 1 && in == out;
  block.halves_size = stride == 2;
  return block;
}

EncoderFeatures InvertedResidualEncoder::forward(const torch::Tensor& image) {
  EncoderFeatures features;
  size_t map = 0;
  auto x = activate(stem_activation_, (*stem_)(image));
  for (InvertedResidual& block : blocks_) {
    if (block.halves_size) features.at(map++) = x;
    x = block(x);
  }
  features.at(map) = x;
  return features;
}

}  // namespace dualdepth
