#pragma once

#include <torch/types.h>

namespace dualdepth {

// Ordinal regression (after Fu et al., "Deep Ordinal Regression Network", CVPR 2018) on the softmax
// p, so that argmax still decodes: each of the K-1 questions "is the level above k?" is answered
// with P(> k) = sum_{j > k} p_j,
//
//   loss = - sum_{k < level} ln P(> k) - sum_{k >= level} ln (1 - P(> k)),   k = 0..K-2
//
// A wrong level costs more the farther it lies. 0 when p is one-hot and right.
// logits: float [P, K], level: int64 [P]. Returns float [P].
torch::Tensor ordinal_loss(const torch::Tensor& logits, const torch::Tensor& level);

}  // namespace dualdepth
