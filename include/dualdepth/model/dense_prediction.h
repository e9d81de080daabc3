#pragma once

#include <torch/types.h>

#include "dualdepth/codec/depth_codec.h"
#include "dualdepth/model/depth_net.h"

namespace dualdepth {

// What the network says of every pixel at its finest scale with heads; [N, h, w].
struct DensePrediction {
  torch::Tensor depth;     // float, metres
  torch::Tensor level;     // int64; undefined where there is no level (`continuous`, one head)
  torch::Tensor fraction;  // float in 0..1, after the sigmoid; undefined with one head
};

// image: as DepthNet::features(). Without gradients. The K channels of the integer head are never
// held for the whole picture (126 MB at 192x640): on the CPU winning_levels keeps only the levels
// that win; on a GPU the heads go over the picture in stripes of pixels. model.head.level_smoothing
// applies.
DensePrediction predict_dense(DepthNet& net, const torch::Tensor& image);

// The filters that predict at this scale: the head's own, their integer part smoothed by
// model.head.level_smoothing where the network has levels.
HeadFilters prediction_filters(DepthNet& net, int64_t scale);

// Filters whose integer part was convolved along the level axis with a Gaussian of `sigma` levels
// (normalised over the levels there are):
//
//   w'_k = sum_j g_kj w_j,   g_kj = exp(-(k-j)^2 / (2 sigma^2)) / sum_i exp(-(k-i)^2 / (2 sigma^2))
//
// and the biases likewise. Convolution is linear, so this equals smoothing the logits of each pixel
// and costs nothing when predicting.
HeadFilters smooth_levels(const HeadFilters& filters, double sigma);

}  // namespace dualdepth
