#pragma once

#include <torch/types.h>

#include "dualdepth/codec/depth_codec.h"

namespace dualdepth {

// For each pixel a distribution over W neighbouring levels: level[p, w] has the weight [p, w].
struct LevelTargets {
  torch::Tensor level;   // int64 [P, W], consecutive in each row
  torch::Tensor weight;  // float [P, W], rows sum to 1
};

// All weight on the right level: ordinary cross-entropy.
LevelTargets one_hot_targets(const CodecTargets& targets);

// Soft labels: weight ~ exp(-(centre_k - x)^2 / (2 sigma^2)), where x is the depth's place on the
// level axis and centre_k level k's, both in levels; over the levels within 4 sigma.
LevelTargets soft_label_targets(const CodecTargets& targets, const DepthCodec& codec, double sigma);

// What the losses need of softmax(logits), each float [P] and differentiable in the logits.
struct LevelStatistics {
  torch::Tensor cross_entropy;  // logsumexp - sum_w weight * logit[level]
  torch::Tensor expected;       // sum_k softmax_k * values_k
  torch::Tensor logsumexp;
};

// All three in one pass over the logits, with one [P, K] tensor beside them that becomes their
// gradient: for incoming gradients a, b, c of the three outputs
//
//   d/d logit_k = softmax_k (a + c + b (values_k - expected)) - a * target_k
//
// On the CPU both passes go by blocks of rows that stay in the cache. Can be differentiated once.
// logits: float [P, K], contiguous; values: float [K].
LevelStatistics level_statistics(const torch::Tensor& logits, const LevelTargets& targets,
                                 const torch::Tensor& values);

}  // namespace dualdepth
