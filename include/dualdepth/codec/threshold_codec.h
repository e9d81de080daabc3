#pragma once

#include <torch/types.h>

#include <cstdint>

#include "dualdepth/config/codec_options.h"

// What a cumulative head is asked and how its answers become depth. Its K channels are thresholds
// on the level axis (level_axis.h): channel k asks "is the position x beyond k?", with the soft
// target
//
//   t_k = clip(x - k, 0, 1)
//
// so that exactly sum_k t_k = x, and sum_k (-1)^k t_k is the fraction of codec `reflected`. Of the
// logits z_k a prediction takes
//
//   c_k = clip(a (z_k - b) + 1/2, 0, 1),   b = ln((1 - q) / q),   x = sum_k c_k
//
// with the slope a and the quantile q of model.head: the sum of a steep clip counts the thresholds
// whose probability to be exceeded, sigmoid(z_k), is above 1 - q, which is the quantile q of the
// predicted distribution; a = 1/4 is the sigmoid's own slope at 0, whose sum is close to the
// distribution's mean. With codec `reflected` and `step` alike.
//
// After ordinal regression (Fu et al., "Deep Ordinal Regression Network", CVPR 2018), whose targets
// are hard and which counts.
namespace dualdepth {

// position: float [P] in levels. Returns t, [P, K] of its dtype.
torch::Tensor threshold_targets(const torch::Tensor& position, int64_t levels);

// The b of a quantile in (0, 1): 0 for the median.
double logit_offset(double quantile);

// What an exported file sums: each threshold by itself, or groups of G neighbouring ones. Of K =
// 256 one sum in 8 bits has a resolution of 1 level, 16 sums of 16 thresholds each have 1/16 level.
inline constexpr int64_t kPositionGroups = 16;

// `groups`, or where it is 0 the greatest number that divides both K and kPositionGroups. Throws
// Error when `groups` does not divide K.
int64_t position_groups(int64_t levels, int64_t groups);

// Filters [G, K, 1, 1] of the 1x1 convolution that sums G groups of contiguous thresholds: 1 where
// threshold k belongs to group g, k / (K / G) = g, else 0.
torch::Tensor group_filters(int64_t levels, int64_t groups);

// Logits that a head starts from, before it has seen depth: those of the share of depths beyond
// each threshold if d - m were exponentially distributed with mean (M - m) / 4,
//
//   share_k = exp(-4 (d_k - m) / (M - m)), within [0.01, 0.99];   d_k: the depth at position k +
//   1/2
//
// Half of such depths are nearer than m + 0.17 (M - m), 14 m of 80. Returns float [K].
torch::Tensor prior_logits(const CodecOptions& options);

}  // namespace dualdepth
