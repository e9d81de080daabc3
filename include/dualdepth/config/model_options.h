#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dualdepth/config/codec_options.h"

namespace dualdepth {

enum class EncoderKind { kResNet18, kResNet34, kResNet50 };
template <>
struct EnumNames<EncoderKind> {
  static constexpr std::array values{std::pair{EncoderKind::kResNet18, "resnet18"},
                                     std::pair{EncoderKind::kResNet34, "resnet34"},
                                     std::pair{EncoderKind::kResNet50, "resnet50"}};
};

// model.params: the original keys, and the codec's beside them.
struct ModelParams {
  bool use_dual_head = true;
  CodecOptions codec;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("use_dual_head", use_dual_head,
            {.help = "false: one sigmoid depth output, the baseline without a second head"});
    codec.visit(v);
  }
};

struct HeadOptions {
  std::vector<int64_t> scales = {0};
  double level_smoothing = 0;  // levels

  template <class Visitor>
  void visit(Visitor& v) {
    v.field(
        "scales", scales,
        {.help = "scales with heads; scale s has 1/2^s of the input's size", .min = 0, .max = 3});
    v.field("level_smoothing", level_smoothing,
            {.help = "Gaussian along the level axis laid over the integer head when predicting",
             .unit = "levels",
             .min = 0,
             .max = 64});
  }
};

struct ModelOptions {
  EncoderKind encoder = EncoderKind::kResNet18;
  std::string pretrained;
  std::vector<double> mean = {0.45, 0.45, 0.45};
  std::vector<double> std = {0.225, 0.225, 0.225};
  ModelParams params;
  HeadOptions head;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("encoder", encoder, {.help = "network that turns the picture into features"});
    v.field(
        "pretrained", pretrained,
        {.help = "safetensors file with encoder weights in torchvision's names; empty: random"});
    v.field("mean", mean, {.help = "subtracted from RGB in 0..1", .min = 0, .max = 1, .length = 3});
    v.field("std", std, {.help = "divides RGB after that", .min = 1e-3, .max = 10, .length = 3});
    v.group("params", params);
    v.group("head", head);
  }

  // What does not fit together: the codec's problems, no head at scale 0, a scale named twice.
  std::vector<ErrorParts> problems() const;

  // Throws ConfigError with all problems.
  void check() const;
};

}  // namespace dualdepth
