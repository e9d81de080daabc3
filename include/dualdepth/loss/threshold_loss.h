#pragma once

#include <torch/types.h>

#include "dualdepth/config/codec_options.h"
#include "dualdepth/config/loss_options.h"

// The objective of a cumulative head (codec/threshold_codec.h): K independent questions, each with
// a soft answer.
namespace dualdepth {

// How much each threshold weighs; the weights sum to K. With d_k the depth at position k + 1/2,
//
//   inverse_depth  w_k ~ 1 / (d_k + threshold_offset): an error near the camera costs more
//   uniform        w_k = 1
//
// Returns float [K].
torch::Tensor threshold_weights(const CodecOptions& codec, const LossOptions& options);

// What the losses need of the logits z, each float [P] and differentiable in the logits.
struct ThresholdStatistics {
  torch::Tensor cross_entropy;  // 1/K sum_k w_k (softplus(z_k) - t_k z_k)
  torch::Tensor position;       // sum_k sigmoid(z_k), in levels
};

// Both in one pass over the logits, with one [P, K] tensor beside them that becomes their gradient:
// for incoming gradients a, b of the two outputs and s_k = sigmoid(z_k)
//
//   d/d z_k = a w_k (s_k - t_k) / K + b s_k (1 - s_k)
//
// On the CPU both passes go by blocks of rows that stay in the cache. Can be differentiated once.
// logits: float [P, K], contiguous; position: float [P], the true one in levels; weights: float
// [K].
ThresholdStatistics threshold_statistics(const torch::Tensor& logits, const torch::Tensor& position,
                                         const torch::Tensor& weights);

}  // namespace dualdepth
