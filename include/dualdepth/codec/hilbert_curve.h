#pragma once

#include <torch/types.h>

#include <cstdint>

#include "dualdepth/config/codec_options.h"

namespace dualdepth {

// The Hilbert curve of order p through the n x n points (i, j) / (n - 1), n = 2^p, of the unit
// square: a polyline of n^2 - 1 segments of length 1 / (n - 1), n + 1 in all. A number u in [0, 1]
// stands for the point at the share u of its length, so that two coordinates of 8 bits say u about
// n + 1 times as precisely as one code of 8 bits does.
//
// Method: Uss et al., "Predicting High-precision Depth on Low-Precision Devices Using 2D Hilbert
// Curves", ICML 2025 (arXiv 2405.14024).
class HilbertCurve {
 public:
  // order: 1 to 6.
  explicit HilbertCurve(int64_t order);

  // u: float [...] in [0, 1]. Returns the coordinates, [..., 2] of its dtype.
  torch::Tensor point_at(const torch::Tensor& u) const;

  // coordinates: float [..., 2], clamped to [0, 1]. Returns the u of the nearest point of the
  // curve, [...], of equally near ones any. Looked up: the nearest point lies on a corner or a side
  // of the square between four neighbouring points that holds the coordinates.
  torch::Tensor nearest(const torch::Tensor& coordinates) const;

 private:
  int64_t side_;          // n
  torch::Tensor points_;  // int64 [n^2, 2]: (i, j) in the order of the curve
  torch::Tensor index_;   // int64 [n, n]: the place in that order of (i, j)
};

// What a Hilbert head is asked for: the point of the curve of order hilbert_order at u = x / K,
// where x is the depth's position on the level axis (level_axis.h). depth: float [...] in metres.
// Returns
// [..., 2] in [0, 1].
torch::Tensor hilbert_targets(const torch::Tensor& depth, const CodecOptions& options);

// The depth of the curve's point that lies nearest to the coordinates. coordinates: float [..., 2].
// Returns metres in [m, M].
torch::Tensor hilbert_depth(const torch::Tensor& coordinates, const CodecOptions& options);

}  // namespace dualdepth
