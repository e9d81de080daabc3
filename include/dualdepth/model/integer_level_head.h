#pragma once

#include <torch/types.h>

#include <cstdint>

#include "dualdepth/model/level_head.h"

namespace dualdepth {

// An 8-bit integer head: its filters are whole multiples -127..127 of a step and its input lies on
// a grid of 256 steps.
struct IntegerHeadGrids {
  torch::Tensor weight_scale;  // float [1], or [K] one for each level
  float input_scale = 1;
  int64_t zero_point = 0;                         // step of the input that is 0, in 0..255
  float clipping_value = LevelHead::kNoClipping;  // see LevelHead
};

// LevelHead (level_head.h) of such a head, summed in whole numbers by 8-bit dot products. Argmax
// reads the sums before any grid of the logits, so that levels do not tie on one. They are compared
// in float32, which holds all sums of up to 57 channels exactly (9 * 57 * 255 * 127 < 2^24); those
// beyond 2^24 of more channels are rounded to 24 bits.
class IntegerLevelHead {
 public:
  // Whether this CPU has the instructions (AVX-512 VNNI).
  static bool is_supported();

  // weight: float32 [K, C, 3, 3] on its grid, bias: float32 [K].
  IntegerLevelHead(const torch::Tensor& weight, const torch::Tensor& bias,
                   const IntegerHeadGrids& grids);

  // steps: of the input's grid, uint8 [N, C, h, w], fastest in channels-last. Returns int64
  // [N, h, w]. threads: so many of its own, 0: LibTorch's.
  torch::Tensor operator()(const torch::Tensor& steps, int threads = 0) const;

 private:
  int64_t channels_, padded_channels_;
  int64_t zero_point_;
  float clipping_value_;
  torch::Tensor weight_, scale_, bias_;
};

}  // namespace dualdepth
