#pragma once

#include <torch/types.h>

#include <cmath>
#include <cstdint>

#include "dualdepth/loss/depth_loss.h"

namespace dualdepth {

inline constexpr int64_t kLevels = 8;

inline ModelOptions model_of(CodecKind codec) {
  ModelOptions model;
  model.params.codec = {
      .codec = codec, .n_integer_levels = kLevels, .min_depth = 0.5, .max_depth = 20};
  return model;
}

inline ModelOptions model_of(HeadKind head, Spacing spacing = Spacing::kLinear) {
  ModelOptions model = model_of(CodecKind::kReflected);
  model.head.kind = head;
  model.params.codec.spacing = spacing;
  model.params.codec.hilbert_order = 2;
  return model;
}

// The pixels of loss_golden.py; the last is out of range.
struct GoldenPixels {
  GoldenPixels() {
    for (int64_t p = 0; p < depth.size(0); ++p) {
      fraction[p] = std::cos(p);
      for (int64_t k = 0; k < kLevels; ++k) logits[p][k] = 2 * std::sin(1 + 3 * p + 0.7 * k);
    }
  }

  // The channels that the head has.
  torch::Tensor logits_of(const ModelOptions& model) const {
    const HeadKind head = model.head_kind();
    const bool one = model.params.codec.codec == CodecKind::kContinuous;
    if (head == HeadKind::kHilbert) return logits.narrow(1, 0, 2).contiguous();
    return one || head == HeadKind::kSigmoid ? logits.narrow(1, 0, 1).contiguous() : logits;
  }

  LossTerms loss(const ModelOptions& model, const LossOptions& options) const {
    return DepthLoss(model, options)(logits_of(model), fraction, depth);
  }

  torch::Tensor depth = torch::tensor({0.6, 2.0, 7.3, 12.9, 19.5, 25.0}, torch::kFloat64);
  torch::Tensor fraction = torch::empty({6}, torch::kFloat64);
  torch::Tensor logits = torch::empty({6, kLevels}, torch::kFloat64);
};

}  // namespace dualdepth
