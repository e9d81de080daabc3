#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dualdepth/config/codec_options.h"

namespace dualdepth {

// The residual networks, and the light ones for NPUs (model/encoder.h).
enum class EncoderKind {
  kResNet18,
  kResNet34,
  kResNet50,
  kResNet101,
  kMobileNetV2,
  kMobileNetV3Large,
  kEfficientNetLite0
};
template <>
struct EnumNames<EncoderKind> {
  static constexpr std::array values{
      std::pair{EncoderKind::kResNet18, "resnet18"},
      std::pair{EncoderKind::kResNet34, "resnet34"},
      std::pair{EncoderKind::kResNet50, "resnet50"},
      std::pair{EncoderKind::kResNet101, "resnet101"},
      std::pair{EncoderKind::kMobileNetV2, "mobilenet_v2"},
      std::pair{EncoderKind::kMobileNetV3Large, "mobilenet_v3_large"},
      std::pair{EncoderKind::kEfficientNetLite0, "efficientnet_lite0"}};
};

// What each 3x3 convolution of the decoder is: itself, or a depthwise 3x3 one and a 1x1 one behind
// it (Howard et al., "MobileNets", 2017), with about a ninth of the products.
enum class DecoderBlock { kPlain, kSeparable };
template <>
struct EnumNames<DecoderBlock> {
  static constexpr std::array values{std::pair{DecoderBlock::kPlain, "plain"},
                                     std::pair{DecoderBlock::kSeparable, "separable"}};
};

// What the head's channels are asked of a pixel, and how their answers become depth:
//
//   categorical  K logits whose softmax chooses a level, and a fraction inside the level
//                (codec/depth_codec.h)
//   cumulative   K logits, each of "is the position on the level axis beyond k?", whose clipped
//                sum is the position (codec/threshold_codec.h)
//   sigmoid      one logit of the depth between min_depth and max_depth (codec/plain_depth.h)
//   hilbert      two logits of the coordinates of a point on a Hilbert curve along which the level
//                axis runs (codec/hilbert_curve.h)
enum class HeadKind { kCategorical, kCumulative, kSigmoid, kHilbert };
template <>
struct EnumNames<HeadKind> {
  static constexpr std::array values{std::pair{HeadKind::kCategorical, "categorical"},
                                     std::pair{HeadKind::kCumulative, "cumulative"},
                                     std::pair{HeadKind::kSigmoid, "sigmoid"},
                                     std::pair{HeadKind::kHilbert, "hilbert"}};
};

// model.params: the original keys, and the codec's beside them.
struct ModelParams {
  bool use_dual_head = true;
  CodecOptions codec;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("use_dual_head", use_dual_head,
            {.help = "false: one sigmoid depth output, as head.kind: sigmoid; the original's key"});
    codec.visit(v);
  }
};

struct HeadOptions {
  HeadKind kind = HeadKind::kCategorical;
  std::vector<int64_t> scales = {0};
  double level_smoothing = 0;  // levels
  double slope = 1;
  double quantile = 0.5;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("kind", kind, {.help = "what the channels of the head are asked of a pixel"});
    v.field(
        "scales", scales,
        {.help =
             "scales with heads; scale s has 1/2^s of the input's size, and the finest predicts",
         .min = 0,
         .max = 3});
    v.field("level_smoothing", level_smoothing,
            {.help = "Gaussian along the level axis laid over a categorical head when predicting",
             .unit = "levels",
             .min = 0,
             .max = 64});
    v.field("slope", slope,
            {.help = "factor of a cumulative head's logits when predicting: 0.25 decodes to about "
                     "the mean of the predicted distribution, 1 and more to about its quantile",
             .min = 0.05,
             .max = 64});
    v.field("quantile", quantile,
            {.help = "quantile of the predicted distribution that a cumulative head decodes to; "
                     "below 0.5 is nearer than the median",
             .min = 0.01,
             .max = 0.99});
  }
};

struct ModelOptions {
  EncoderKind encoder = EncoderKind::kResNet18;
  double encoder_width = 1;
  double decoder_width = 1;
  DecoderBlock decoder_block = DecoderBlock::kPlain;
  std::string pretrained;
  std::vector<double> mean = {0.45, 0.45, 0.45};
  std::vector<double> std = {0.225, 0.225, 0.225};
  ModelParams params;
  HeadOptions head;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("encoder", encoder, {.help = "network that turns the picture into features"});
    v.field("encoder_width", encoder_width,
            {.help = "factor of the encoder's channels; published weights are for 1",
             .min = 0.125,
             .max = 4});
    v.field("decoder_width", decoder_width,
            {.help = "factor of the decoder's channels, which are 16 to 256 from fine to coarse",
             .min = 0.125,
             .max = 4});
    v.field("decoder_block", decoder_block,
            {.help = "3x3 convolutions of the decoder: plain, or depthwise and 1x1"});
    v.field("pretrained", pretrained,
            {.help = "safetensors file with encoder weights in torchvision's names (timm's for "
                     "efficientnet_lite0); empty: random"});
    v.field("mean", mean, {.help = "subtracted from RGB in 0..1", .min = 0, .max = 1, .length = 3});
    v.field("std", std, {.help = "divides RGB after that", .min = 1e-3, .max = 10, .length = 3});
    v.group("params", params);
    v.group("head", head);
  }

  // Returns head.kind, or kSigmoid where the original's key `params.use_dual_head: false` asks for
  // it. All that depends on the kind of the head asks here.
  HeadKind head_kind() const { return params.use_dual_head ? head.kind : HeadKind::kSigmoid; }

  // What does not fit together: the codec's problems, no scale with a head, a scale named twice, an
  // option of another kind of head.
  std::vector<ErrorParts> problems() const;

  // Throws ConfigError with all problems.
  void check() const;
};

}  // namespace dualdepth
