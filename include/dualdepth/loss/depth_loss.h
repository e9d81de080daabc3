#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>

#include "dualdepth/codec/depth_codec.h"
#include "dualdepth/config/loss_options.h"
#include "dualdepth/config/model_options.h"

namespace dualdepth {

// What a loss says of a list of pixels. Means over the pixels that count; without any, all tensors
// are undefined: such a list counts as nothing, not as zero.
struct LossTerms {
  torch::Tensor total;  // scalar, with gradient

  // The unweighted parts of total, scalars without gradient; zero where the objective lacks them.
  torch::Tensor integer;
  torch::Tensor fractional;
  torch::Tensor consistency;

  int64_t pixels = 0;        // that count: m <= d <= M
  int64_t out_of_range = 0;  // that were masked

  bool empty() const { return pixels == 0; }
};

// The training objective at pixels with ground truth, by the kind of the head; w from loss.params.
//
// categorical:
//
//   total = w_int L_int + w_frac L_frac + w_cons L_cons
//
//   L_int   cross-entropy, soft labels (level_loss.h) or ordinal (ordinal_loss.h) on the integer
//           logits, plus logsumexp_weight * mean logsumexp^2; for codec `continuous` the L1 between
//           sigmoid and level / (K-1)
//   L_frac  L1 between sigmoid and the codec's fraction target
//   L_cons  SILog (silog.h) or L1 in metres between the expected depth sum_k p_k z_k and d, where z
//           is DepthCodec::level_depths() brought into [m, M]; for `continuous` M * sigmoid. The
//           fraction has no part in it, so it is not taught the integer's errors, and unlike a
//           depth composed through argmax it has a gradient at the integer head
//
// cumulative:
//
//   total = w_int L_int + w_cons L_cons
//
//   L_int   cross-entropy of the thresholds (threshold_loss.h)
//   L_cons  SILog or L1 in metres between the depth at the summed sigmoids and d
//
// sigmoid, to which loss.params do not apply:
//
//   total = mean |p - d| / 10 + SILog(p, d),  p = plain_depth(logit)     reported as consistency
//
// hilbert:
//
//   total = w_int L_int
//
//   L_int   L1 between the sigmoids and hilbert_targets (codec/hilbert_curve.h), the mean of both
//           coordinates
class DepthLoss {
 public:
  DepthLoss(const ModelOptions& model, const LossOptions& options);

  // integer_logits: float [P, C], C as head_channels() (model/dual_head.h); fraction_logits: float
  // [P], of a categorical head only; depth: float [P] in metres. Pixels out of [m, M] have no
  // influence and no gradient.
  LossTerms operator()(const torch::Tensor& integer_logits, const torch::Tensor& fraction_logits,
                       const torch::Tensor& depth) const;

 private:
  HeadKind kind_;
  DepthCodec codec_;
  LossOptions options_;
  torch::Tensor threshold_weights_;  // of a cumulative head
};

// Joins the losses of several scales: total and parts of scale s times weights[s], the largest of
// their counts (all scales see the same pixels). Scales that are empty or weigh nothing count as
// nothing. `weights` is at least as long as `scales`.
LossTerms weighted_sum(std::span<const LossTerms> scales, std::span<const double> weights);

}  // namespace dualdepth
