#pragma once

#include <torch/types.h>

#include "dualdepth/codec/depth_codec.h"
#include "dualdepth/model/depth_net.h"

namespace dualdepth {

// What the network says of every pixel at its finest scale with heads; [N, h, w].
struct DensePrediction {
  torch::Tensor depth;  // float, metres
  // Undefined unless the head is categorical, decoded to a level (not the expectation):
  torch::Tensor level;     // int64; undefined also for codec continuous
  torch::Tensor fraction;  // float in 0..1, after the sigmoid
};

// image: as DepthNet::features(). Without gradients. The K channels of a categorical or cumulative
// head are never stored for the whole picture (126 MB at 192x640): on the CPU LevelHead,
// DistributionHead and ThresholdHead keep a level or sums; on a GPU the heads go over the picture
// in stripes of pixels. The filters are prediction_filters().
DensePrediction predict_dense(DepthNet& net, const torch::Tensor& image);

// The filters that predict at this scale: the head's own; those of a categorical head smoothed by
// model.head.level_smoothing where it has levels, those of a cumulative head folded with
// model.head.slope and quantile.
HeadFilters prediction_filters(DepthNet& net, int64_t scale);

// Filters whose integer part was convolved along the level axis with a Gaussian of `sigma` levels
// (normalised over the levels there are):
//
//   w'_k = sum_j g_kj w_j,   g_kj = exp(-(k-j)^2 / (2 sigma^2)) / sum_i exp(-(k-i)^2 / (2 sigma^2))
//
// and the biases likewise. Convolution is linear, so this equals smoothing the logits of each pixel
// and costs nothing when predicting.
HeadFilters smooth_levels(const HeadFilters& filters, double sigma);

// Filters of a cumulative head whose outputs clipped to [0, 1] are the c_k of
// codec/threshold_codec.h: with a = slope and b = logit_offset(quantile)
//
//   w'_k = a w_k,   bias'_k = a (bias_k - b) + 1/2
HeadFilters fold_thresholds(const HeadFilters& filters, double slope, double quantile);

}  // namespace dualdepth
