#pragma once

#include <torch/types.h>

#include "dualdepth/config/codec_options.h"

namespace dualdepth {

// Depth of the baseline without a second head (use_dual_head: false), in metres:
//
//   d = m + (M - m) * sigmoid(logit)
//
// Only min_depth and max_depth of the options count. logits: float [...].
inline torch::Tensor plain_depth(const torch::Tensor& logits, const CodecOptions& range) {
  return range.min_depth + (range.max_depth - range.min_depth) * logits.sigmoid();
}

}  // namespace dualdepth
