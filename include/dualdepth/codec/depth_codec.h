#pragma once

#include <torch/types.h>

#include "dualdepth/config/codec_options.h"

namespace dualdepth {

// (integer, fraction) of the original two-head method; see decompose_depth.
struct DecomposedDepth {
  torch::Tensor integer;   // level / (K-1), in [0, 1]
  torch::Tensor fraction;  // metres left over, may be negative
};

// The original decomposition, kept exactly (codec: rounded):
//
//   level    = clamp(round(d / M * (K-1)), 0, K-1)     round half to even
//   integer  = level / (K-1)
//   fraction = d - integer * M
//
// depth: float [...] in metres. Returns two tensors of its shape.
DecomposedDepth decompose_depth(const torch::Tensor& depth, double max_depth,
                                int64_t n_integer_levels = 256);

// integer * M + fraction, in metres.
torch::Tensor dual_head_to_depth(const torch::Tensor& integer, const torch::Tensor& fraction,
                                 double max_depth);

// 1 / clamp(dual_head_to_depth, m, M + 1), in 1/m.
torch::Tensor dual_head_to_inv_depth(const torch::Tensor& integer, const torch::Tensor& fraction,
                                     double max_depth, double min_depth);

// What the heads are asked to say at pixels of known depth.
struct CodecTargets {
  torch::Tensor level;     // int64 [...]; for `continuous`: all 0
  torch::Tensor fraction;  // float [...], what the sigmoid fraction head should say
  torch::Tensor position;  // float [...], place on the level axis in units of levels (soft labels,
                           // whose Gaussian is centred on level k's own centre(k))
};

// Depth in metres <-> what the two heads say, for every CodecOptions::codec and ::spacing.
class DepthCodec {
 public:
  explicit DepthCodec(const CodecOptions& options);

  const CodecOptions& options() const { return options_; }

  // Channels of the integer head: K, or 1 for `continuous`.
  int64_t integer_channels() const;

  // True where m <= d <= M: only such pixels train.
  torch::Tensor in_range(const torch::Tensor& depth) const;

  // depth: float [...] in metres, in range.
  CodecTargets encode(const torch::Tensor& depth) const;

  // level: int64 [...], fraction: float [...] in [0, 1] (after the sigmoid). Returns metres,
  // clamped to [m, M] (rounded and continuous: [0, M + 1]).
  torch::Tensor decode(const torch::Tensor& level, const torch::Tensor& fraction) const;

  // The depth that each level stands for at its centre, float [K]: for the expected depth
  // sum_k p_k * level_depths[k].
  torch::Tensor level_depths() const;

  // Where level k's centre lies on the axis of CodecTargets::position, float [K].
  torch::Tensor level_positions() const;

 private:
  CodecOptions options_;
};

}  // namespace dualdepth
