#pragma once

#include <torch/types.h>

#include "dualdepth/config/codec_options.h"

// Decoding of the softmax p over the K levels of a categorical head (LevelDecoding). With a
// fraction f, level k stands for the place start_k + slope_k f on the level axis (level_axis.h;
// codec rounded: for as many metres).
//
//   argmax       the depth of the first level with the greatest p_k and the fraction
//   expectation  the depth at the mean place sum_k p_k (start_k + slope_k f): of a distribution
//                over distant levels it lies between them, which is least in squared error
//   median       the depth of the first level with p_0 + ... + p_k >= 1/2 and the fraction: least
//                in absolute error, and among the levels that have a share
//
// A distribution of one level gives the same depth each time.
namespace dualdepth {

// float [K] each, see above. options.codec: not continuous, which has no levels.
struct LevelPlaces {
  torch::Tensor start, slope;
};
LevelPlaces level_places(const CodecOptions& options);

// Metres at a place on that axis, clamped to what DepthCodec::decode returns.
torch::Tensor depth_at_place(const torch::Tensor& place, const CodecOptions& options);

// logits: [..., K, ...] with the levels along `dim`, which is dropped. Returns int64.
torch::Tensor median_level(const torch::Tensor& logits, int64_t dim);

// logits: as above; fraction: their shape without `dim`, in 0..1. Returns metres.
torch::Tensor expected_depth(const torch::Tensor& logits, const torch::Tensor& fraction,
                             const CodecOptions& options, int64_t dim);

}  // namespace dualdepth
