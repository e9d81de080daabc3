#pragma once

#include <cstdint>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/config/field.h"

namespace dualdepth {

// How metres become a level and a fraction; dualdepth/codec/depth_codec.h has the formulas.
enum class CodecKind { kRounded, kContinuous, kReflected, kStep };
template <>
struct EnumNames<CodecKind> {
  static constexpr std::array values{
      std::pair{CodecKind::kRounded, "rounded"}, std::pair{CodecKind::kContinuous, "continuous"},
      std::pair{CodecKind::kReflected, "reflected"}, std::pair{CodecKind::kStep, "step"}};
};

// The axis on which levels are evenly spaced.
enum class Spacing { kLinear, kLog, kInverse };
template <>
struct EnumNames<Spacing> {
  static constexpr std::array values{std::pair{Spacing::kLinear, "linear"},
                                     std::pair{Spacing::kLog, "log"},
                                     std::pair{Spacing::kInverse, "inverse"}};
};

// How the softmax over the levels of a categorical head becomes depth: the most probable level, the
// mean of the distribution, or its median (codec/level_distribution.h has the formulas).
enum class LevelDecoding { kArgmax, kExpectation, kMedian };
template <>
struct EnumNames<LevelDecoding> {
  static constexpr std::array values{std::pair{LevelDecoding::kArgmax, "argmax"},
                                     std::pair{LevelDecoding::kExpectation, "expectation"},
                                     std::pair{LevelDecoding::kMedian, "median"}};
};

struct CodecOptions {
  CodecKind codec = CodecKind::kReflected;
  Spacing spacing = Spacing::kLinear;
  int64_t n_integer_levels = 256;
  double min_depth = 0.1;  // m
  double max_depth = 80;   // m
  LevelDecoding decoding = LevelDecoding::kArgmax;
  int64_t hilbert_order = 3;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("codec", codec, {.help = "how metres become a level and a fraction"});
    v.field("spacing", spacing, {.help = "axis on which levels are evenly spaced"});
    v.field("n_integer_levels", n_integer_levels,
            {.help = "levels of the axis, which are channels of a categorical or cumulative head",
             .min = 2,
             .max = 256});
    v.field("min_depth", min_depth,
            {.help = "nearest depth that can be said", .unit = "m", .min = 1e-3, .max = 1e4});
    v.field("max_depth", max_depth,
            {.help = "farthest depth that can be said", .unit = "m", .min = 1e-2, .max = 1e4});
    v.field(
        "decoding", decoding,
        {.help = "what a categorical head predicts: the most probable level, or the mean or the "
                 "median of its distribution over levels"});
    v.field("hilbert_order", hilbert_order,
            {.help = "order of the curve of head.kind: hilbert", .min = 1, .max = 6});
  }

  // What does not fit together: min_depth at or above max_depth, a codec that cannot take the
  // spacing. Empty: all is well.
  std::vector<ErrorParts> problems() const;

  // Throws ConfigError with all problems.
  void check() const;

  bool operator==(const CodecOptions&) const = default;
};

}  // namespace dualdepth
