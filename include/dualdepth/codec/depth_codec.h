#pragma once

#include <torch/types.h>

#include "dualdepth/codec/decompose.h"
#include "dualdepth/config/codec_options.h"

namespace dualdepth {

// What the heads are asked to say at pixels of known depth.
struct CodecTargets {
  torch::Tensor level;     // int64 [...], 0..K-1
  torch::Tensor fraction;  // float [...] in [0, 1], what the sigmoid fraction head should say
  torch::Tensor position;  // float [...], place on the level axis in units of levels; level k's
                           // centre is at level_positions()[k], where soft labels centre on it
};

// Depth in metres <-> what the two heads say. M = max_depth, m = min_depth, K = n_integer_levels.
//
// reflected and step: the level axis (level_axis.h) of positions x in [0, K] is cut into K bins of
// equal width,
//
//   level    = min(floor x, K-1), r = x - level in [0, 1]
//   fraction = r                                          step
//   fraction = r for even levels, 1 - r for odd ones      reflected
//
// With reflected the fraction is continuous in d (a Gray code): at a boundary both neighbours ask
// for the same value, so a level that flips there costs almost nothing, and a regressed fraction
// never has to jump from 1 to 0. With both heads in 8 bits the worst round trip over the linear
// axis errs by (M-m)/K/510. Level k's centre is x = k + 1/2.
//
// rounded: the original method, linear from 0: decompose_depth, with the residual in metres clamped
// to what a sigmoid can say, [0, 1]. Level k's centre is d = k M/(K-1), x = d/M (K-1).
//
// continuous: the original baseline without classes. The integer head is one sigmoid channel s that
// regresses the `integer` of decompose_depth; the fraction is that of rounded. Its level is s (K-1)
// and need not be a whole number, so decode(level, fraction) = s M + fraction as for rounded.
//
// Computed in double inside; results have the dtype of the input.
class DepthCodec {
 public:
  // Throws ConfigError when options.check() does.
  explicit DepthCodec(const CodecOptions& options);

  const CodecOptions& options() const { return options_; }

  // Channels of the integer head: K, or 1 for `continuous`.
  int64_t integer_channels() const;

  // Bool [...]: true where m <= d <= M. Only such pixels train.
  torch::Tensor in_range(const torch::Tensor& depth) const;

  // depth: float [...] in metres; a value out of range is encoded as the nearest one in range
  // (rounded and continuous: as the original does).
  CodecTargets encode(const torch::Tensor& depth) const;

  // level: int64 [...] (`continuous`: float), fraction: float [...] in [0, 1], after the sigmoid.
  // Returns metres in fraction's dtype, clamped to [m, M] (rounded and continuous: [0, M + 1]).
  torch::Tensor decode(const torch::Tensor& level, const torch::Tensor& fraction) const;

  // The level that the integer head's logits [..., integer_channels, ...] choose over `dim`, which
  // is dropped: int64, the greatest or the median one as options().decoding says, the greatest for
  // an expectation, which is no level; `continuous`: sigmoid * (K-1), in the logits' dtype.
  torch::Tensor choose_level(const torch::Tensor& integer_logits, int64_t dim = 1) const;

  // The depth that each level stands for at its centre, float [K]: for the expected depth
  // sum_k p_k * level_depths[k].
  torch::Tensor level_depths() const;

  // Where level k's centre lies on the axis of CodecTargets::position, float [K].
  torch::Tensor level_positions() const;

 private:
  bool is_original() const;

  CodecOptions options_;
};

}  // namespace dualdepth
