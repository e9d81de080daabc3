#include "dualdepth/model/dual_head_decoder.h"

#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/nn/init.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "dualdepth/model/scaled_channels.h"
#include "dualdepth/model/upsampled_filters.h"
#include "module_path.h"

namespace dualdepth {
namespace {

std::array<int64_t, 5> channels_of(double width) {
  std::array<int64_t, 5> channels{16, 32, 64, 128, 256};
  for (auto& count : channels) count = scaled_channels(count, width);
  return channels;
}

torch::nn::Conv2d convolution(int64_t in, int64_t out, int64_t kernel) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, kernel).padding(kernel / 2));
}

torch::nn::Conv2d depthwise(int64_t channels) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(channels, channels, 3).padding(1).groups(channels).bias(false));
}

void reset(const torch::nn::Conv2dImpl& conv) {
  if (conv.options.groups() == 1) {
    torch::nn::init::xavier_uniform_(conv.weight);
  } else {
    const double bound = std::sqrt(6.0 / (9 + 9));  // LibTorch counts the outputs of all groups
    torch::nn::init::uniform_(conv.weight, -bound, bound);
  }
  if (conv.bias.defined()) torch::nn::init::zeros_(conv.bias);
}

torch::Tensor upsample_nearest_x2(const torch::Tensor& x) {
  // Autocast would send this copy through float32.
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  return torch::upsample_nearest2d(x, /*output_size=*/c10::nullopt,
                                   /*scale_factors=*/std::vector<double>{2, 2});
}

}  // namespace

DualHeadDepthDecoderImpl::DualHeadDepthDecoderImpl(const std::array<int64_t, 5>& encoder_channels,
                                                   const ModelOptions& options) {
  const auto channels = channels_of(options.decoder_width);
  const auto& scales = options.head.scales;
  const int64_t finest = *std::min_element(scales.begin(), scales.end());
  for (int64_t i = 4; i >= finest; --i) {
    const int64_t in = i == 4 ? encoder_channels[4] : channels[i + 1];
    const int64_t skip = i == 0 ? 0 : encoder_channels[i - 1];
    const std::string name = "upconv_" + std::to_string(i);
    const DecoderBlock block = options.decoder_block;
    stages_.emplace(i, Stage{add_upconv(name + "_0", in, channels[i], block),
                             add_upconv(name + "_1", channels[i] + skip, channels[i], block)});
  }
  for (const int64_t scale : scales) {
    heads_.emplace(scale, register_module("head_" + std::to_string(scale),
                                          DualHead(channels[scale], options)));
  }
  for (const auto& module : modules(/*include_self=*/false)) {
    if (const auto* conv = module->as<torch::nn::Conv2d>()) reset(*conv);
  }
  for (auto& [scale, head] : heads_) head->begin_at_prior(options);
}

DualHeadDepthDecoderImpl::UpConv DualHeadDepthDecoderImpl::add_upconv(const std::string& name,
                                                                      int64_t in, int64_t out,
                                                                      DecoderBlock block) {
  if (block == DecoderBlock::kPlain) {
    return {.depthwise = nullptr, .conv = register_module(name, convolution(in, out, 3))};
  }
  return {.depthwise = register_at(*this, name + ".depthwise", depthwise(in)),
          .conv = register_at(*this, name + ".pointwise", convolution(in, out, 1))};
}

torch::Tensor DualHeadDepthDecoderImpl::UpConv::operator()(const torch::Tensor& x) {
  return conv(depthwise.is_empty() ? x : depthwise(x));
}

torch::Tensor DualHeadDepthDecoderImpl::Stage::upsample(const torch::Tensor& map,
                                                        const torch::Tensor& skip) {
  if (!doubled_filters.defined()) {
    const auto doubled = upsample_nearest_x2(map);
    return after(skip.defined() ? torch::cat({doubled, skip}, 1) : doubled);
  }
  auto sums =
      torch::conv_transpose2d(map, doubled_filters, after.conv->bias, /*stride=*/2, /*padding=*/1);
  if (!skip.defined()) return sums;
  return torch::conv2d(skip, skip_filters, {}, /*stride=*/1, /*padding=*/1).add_(sums);
}

ScaleFeatures DualHeadDepthDecoderImpl::forward(const EncoderFeatures& encoded,
                                                std::vector<torch::Tensor>* maps) {
  const auto noted = [maps](torch::Tensor map) {
    if (maps != nullptr) maps->push_back(map);
    return map;
  };
  ScaleFeatures features;
  torch::Tensor x = encoded[4];
  for (auto& [i, stage] : stages_) {
    const auto map = noted(stage.before(x).relu_());
    x = noted(stage.upsample(map, i > 0 ? encoded[i - 1] : torch::Tensor()).relu_());
    if (heads_.contains(i)) features[i] = x;
  }
  return features;
}

void DualHeadDepthDecoderImpl::split_filters() {
  TORCH_CHECK(!is_training(), "split_filters: in evaluation mode");
  const torch::NoGradGuard no_grad;
  for (auto& [i, stage] : stages_) {
    if (!stage.after.depthwise.is_empty()) continue;
    const auto& weight = stage.after.conv->weight;
    const int64_t doubled = stage.before.conv->options.out_channels();
    stage.doubled_filters = upsampled_filters(weight.slice(1, 0, doubled))
                                .contiguous(torch::MemoryFormat::ChannelsLast);
    if (i == 0) continue;
    stage.skip_filters = weight.slice(1, doubled).contiguous(torch::MemoryFormat::ChannelsLast);
  }
}

void DualHeadDepthDecoderImpl::train(bool on) {
  torch::nn::Module::train(on);
  for (auto& [i, stage] : stages_) stage.doubled_filters = stage.skip_filters = torch::Tensor();
}

}  // namespace dualdepth
