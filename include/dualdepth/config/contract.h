#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "dualdepth/config/codec_options.h"
#include "dualdepth/config/data_options.h"
#include "dualdepth/config/export_options.h"
#include "dualdepth/config/model_options.h"

namespace dualdepth {

enum class TensorLayout { kNchw, kNhwc };
template <>
struct EnumNames<TensorLayout> {
  static constexpr std::array values{std::pair{TensorLayout::kNchw, "NCHW"},
                                     std::pair{TensorLayout::kNhwc, "NHWC"}};
};

enum class ChannelOrder { kRgb, kBgr };
template <>
struct EnumNames<ChannelOrder> {
  static constexpr std::array values{std::pair{ChannelOrder::kRgb, "RGB"},
                                     std::pair{ChannelOrder::kBgr, "BGR"}};
};

enum class InputType { kFloat32, kFloat16, kUint8 };
template <>
struct EnumNames<InputType> {
  static constexpr std::array values{std::pair{InputType::kFloat32, "float32"},
                                     std::pair{InputType::kFloat16, "float16"},
                                     std::pair{InputType::kUint8, "uint8"}};
};

// The part of a picture that the network sees: all of it, or the crop of KITTI's benchmark
// (352x1216) where the picture has room for it.
enum class InputCrop { kNone, kKittiBenchmark };
template <>
struct EnumNames<InputCrop> {
  static constexpr std::array values{std::pair{InputCrop::kNone, "none"},
                                     std::pair{InputCrop::kKittiBenchmark, "kitti-benchmark"}};
};

// The picture as a network's input takes it. A picture is cropped, resized to `size`, and each
// byte b of a channel becomes
//
//   x = (low + (high - low) b / 255 - mean) / std     (low, high) = range; float32 and float16
//   x = b                                             uint8
//
// A network that normalizes inside its graph leaves mean and std out. mean and std are in the order
// of `channels`.
struct InputContract {
  std::string name = {};  // empty: the file's only input
  TensorLayout layout = TensorLayout::kNchw;
  ChannelOrder channels = ChannelOrder::kRgb;
  InputType type = InputType::kFloat32;
  std::vector<double> range = {0, 1};
  std::vector<double> mean = {0, 0, 0};
  std::vector<double> std = {1, 1, 1};
  std::vector<int64_t> size = {};  // height, width; empty: the file's own
  InputCrop crop = InputCrop::kNone;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("name", name, {.help = "input of the file; empty: its only one"});
    v.field("layout", layout, {.help = "order of the dimensions, also of the outputs"});
    v.field("channels", channels, {.help = "order of the colours"});
    v.field("type", type, {.help = "element type of the input"});
    v.field("range", range,
            {.help = "what black and white become before mean and std",
             .min = -1e4,
             .max = 1e4,
             .length = 2});
    v.field("mean", mean, {.help = "subtracted after that", .min = -1e4, .max = 1e4, .length = 3});
    v.field("std", std, {.help = "divides after that", .min = 1e-6, .max = 1e6, .length = 3});
    v.field("size", size,
            {.help = "height and width that pictures are resized to; empty: the file's own",
             .unit = "px",
             .min = 1,
             .max = 16384,
             .length = 2});
    v.field("crop", crop, {.help = "part of the picture that the network sees"});
  }

  bool operator==(const InputContract&) const = default;
};

// What one output of a network holds, each [N, 1, h, w], [N, h, w] or, with layout NHWC,
// [N, h, w, 1], of any integer or floating-point type:
//
//   level          class of the integer head, a whole number in 0..K-1
//   fraction       place inside the level in 0..1, after the sigmoid
//   logits         [N, K, h, w] (NHWC: [N, h, w, K]); its argmax is the level
//   depth          metres
//   inverse_depth  1 / metres
//   depth_logit    depth is min_depth + (max_depth - min_depth) * sigmoid(x)
//   position       [N, G, h, w] (NHWC: [N, h, w, G]), G of 1 to K; the sum over G is the position
//                  on the codec's level axis, 0..K (codec/level_axis.h)
//   coordinates    [N, 2, h, w] (NHWC: [N, h, w, 2]) in 0..1, of a point near the codec's Hilbert
//                  curve (codec/hilbert_curve.h)
//
// All but level, logits and depth_logit are scale * x + shift of what the file holds; of position
// and coordinates, of each channel. Inverse depth becomes metres clamped to the codec's min_depth
// and max_depth; what is 0 or negative is max_depth.
enum class OutputKind {
  kMissing,
  kLevel,
  kFraction,
  kLogits,
  kDepth,
  kInverseDepth,
  kDepthLogit,
  kPosition,
  kCoordinates
};
template <>
struct EnumNames<OutputKind> {
  static constexpr std::array values{std::pair{OutputKind::kLevel, "level"},
                                     std::pair{OutputKind::kFraction, "fraction"},
                                     std::pair{OutputKind::kLogits, "logits"},
                                     std::pair{OutputKind::kDepth, "depth"},
                                     std::pair{OutputKind::kInverseDepth, "inverse_depth"},
                                     std::pair{OutputKind::kDepthLogit, "depth_logit"},
                                     std::pair{OutputKind::kPosition, "position"},
                                     std::pair{OutputKind::kCoordinates, "coordinates"}};
};

struct OutputContract {
  std::string name = {};
  OutputKind is = OutputKind::kMissing;
  double scale = 1;
  double shift = 0;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("is", is, {.help = "what the output holds"});
    v.field("scale", scale,
            {.help = "factor of depth, inverse_depth, fraction, position or coordinates"});
    v.field("shift", shift, {.help = "added after that"});
  }

  bool operator==(const OutputContract&) const = default;
};

// Visits each output as a group of its name.
struct OutputGroups {
  std::vector<OutputContract>& all;

  template <class Visitor>
  void visit(Visitor& v) {
    for (OutputContract& one : all) v.group(one.name, one);
  }
};

inline constexpr const char* kContractKey = "dualdepth";
inline constexpr const char* kContractFile = "dualdepth.json";
inline constexpr int kContractVersion = 2;

// What a network takes and returns: all that eval, predict, compare, bench, verify and quantize
// know of it, whoever trained it. JSON, in the file (ONNX: metadata_props["dualdepth"],
// TorchScript: the extra file "dualdepth.json") or given with --card:
//
//   {"format_version": 2,
//    "input": {"name": "image", "layout": "NCHW", "channels": "RGB", "type": "float32",
//              "range": [0, 1], "mean": [0, 0, 0], "std": [1, 1, 1], "size": [192, 640],
//              "crop": "none"},
//    "outputs": {"level": {"is": "level", "scale": 1, "shift": 0}, "fraction": {...}},
//    "codec": {"codec", "spacing", "n_integer_levels", "min_depth", "max_depth"}}
//
// format_version and the `is` of each output are required; all else has the default shown by
// InputContract, OutputContract and CodecOptions. Position and coordinates have a level axis, so
// that the codec is reflected or step; hilbert_order is that of coordinates, and written only with
// them. Without level, logits, position or coordinates only min_depth and max_depth of the codec
// count: for depth_logit and inverse_depth, and as the end of the colors of depth.
struct Contract {
  int64_t format_version = kContractVersion;
  InputContract input = {};
  std::vector<OutputContract> outputs = {};
  CodecOptions codec = {};

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("format_version", format_version,
            {.help = "of this JSON", .min = kContractVersion, .max = kContractVersion});
    v.group("input", input);
    OutputGroups groups{outputs};
    v.group("outputs", groups);
    v.group("codec", codec);
  }

  // The output of this kind; nullptr when there is none.
  const OutputContract* output(OutputKind kind) const;

  // True when the network returns the level of each pixel, or logits that choose it.
  bool has_levels() const;

  // True when the depth of a pixel is the mean of the distribution that its logits say, which is no
  // level.
  bool decodes_expectation() const;

  // The kind of head that returns these outputs: categorical with levels, cumulative with a
  // position, hilbert with coordinates, sigmoid otherwise.
  HeadKind head_kind() const;

  // What does not fit together; subjects are keys such as "outputs.fraction".
  std::vector<ErrorParts> problems() const;

  bool operator==(const Contract&) const = default;
};

// The contract of a network of this program with these outputs, which are named by what they hold.
// Throws Error when the network's head does not have them (require_outputs).
Contract contract_of(const ModelOptions& model, const DataOptions& data, ModelOutputs outputs);

// All keys, on one line.
std::string to_json(const Contract& contract);

// The same over several lines, as people read it.
std::string to_readable_json(const Contract& contract);

// Reads a contract, also one of an older version:
//
//   1  {"format_version": 1, "outputs": "levels", "model": {"params": {...}, ...},
//      "data": {"image_shape", "kb_crop"}}, written by exports before contracts
//
// Strict: unknown keys, keys given twice, wrong types and what problems() finds are gathered and
// thrown together as one ConfigError, a line each, that begins with `origin` and the line:
//
//   card.json:3: input.maen: unknown key; did you mean mean?
Contract parse_contract(const std::string& json, const std::string& origin);

// Reads the file given with --card. Throws Error naming it.
Contract read_contract(const std::filesystem::path& file);

}  // namespace dualdepth
