#include "dualdepth/loss/depth_loss.h"

#include <algorithm>

#include "dualdepth/codec/hilbert_curve.h"
#include "dualdepth/codec/level_axis.h"
#include "dualdepth/codec/plain_depth.h"
#include "dualdepth/loss/level_loss.h"
#include "dualdepth/loss/ordinal_loss.h"
#include "dualdepth/loss/silog.h"
#include "dualdepth/loss/threshold_loss.h"

namespace dualdepth {
namespace {

// Pixels of one list whose `counts` is 1; the others have a depth in range too, put there so that
// every formula stays finite at them.
struct Pixels {
  torch::Tensor depth;   // float [P], metres
  torch::Tensor counts;  // float [P] of 0 and 1
  int64_t number;        // of ones

  torch::Tensor mean(const torch::Tensor& values) const {
    return (values * counts).sum() / static_cast<double>(number);
  }

  torch::Tensor mean_l1(const torch::Tensor& prediction, const torch::Tensor& target) const {
    return mean((prediction - target).abs());
  }
};

torch::Tensor consistency_loss(const torch::Tensor& expected, const Pixels& pixels,
                               const LossOptions& options) {
  switch (options.consistency) {
    case ConsistencyLossKind::kL1:
      return pixels.mean_l1(expected, pixels.depth);
    case ConsistencyLossKind::kSiLog:
      break;
  }
  return silog(expected, pixels.depth, pixels.counts, options.silog_lambda);
}

struct IntegerTerms {
  torch::Tensor loss;      // scalar
  torch::Tensor expected;  // float [P], metres
};

IntegerTerms classify(const torch::Tensor& logits, const CodecTargets& targets,
                      const Pixels& pixels, const DepthCodec& codec, const LossOptions& options) {
  const auto values = codec.level_depths()
                          .clamp(codec.options().min_depth, codec.options().max_depth)
                          .to(logits.options());
  const bool soft = options.integer == IntegerLossKind::kSoftLabels;
  const LevelTargets labels = soft ? soft_label_targets(targets, codec, options.soft_label_sigma)
                                   : one_hot_targets(targets);
  const LevelStatistics levels = level_statistics(logits, labels, values);
  const bool ordinal = options.integer == IntegerLossKind::kOrdinal;
  auto loss = pixels.mean(ordinal ? ordinal_loss(logits, targets.level) : levels.cross_entropy);
  if (options.logsumexp_weight > 0) {
    loss = loss + options.logsumexp_weight * pixels.mean(levels.logsumexp.square());
  }
  return {loss, levels.expected};
}

// Codec `continuous`: one sigmoid channel.
IntegerTerms regress(const torch::Tensor& logits, const CodecTargets& targets, const Pixels& pixels,
                     const CodecOptions& codec) {
  constexpr double kNearest = 1e-6;  // m; a sigmoid that underflows has no logarithm
  const auto integer = logits.squeeze(1).sigmoid();
  const auto target =
      targets.level.to(logits.scalar_type()) / static_cast<double>(codec.n_integer_levels - 1);
  return {pixels.mean_l1(integer, target), (integer * codec.max_depth).clamp_min(kNearest)};
}

// The terms of an objective before they are weighed, scalars; undefined where it lacks them.
struct Objective {
  torch::Tensor integer, fractional, consistency;
};

Objective categorical(const torch::Tensor& integer_logits, const torch::Tensor& fraction_logits,
                      const Pixels& pixels, const DepthCodec& codec, const LossOptions& options) {
  const CodecTargets targets = codec.encode(pixels.depth);
  const IntegerTerms integer = codec.options().codec == CodecKind::kContinuous
                                   ? regress(integer_logits, targets, pixels, codec.options())
                                   : classify(integer_logits, targets, pixels, codec, options);
  return {.integer = integer.loss,
          .fractional = pixels.mean_l1(fraction_logits.sigmoid(), targets.fraction),
          .consistency = consistency_loss(integer.expected, pixels, options)};
}

Objective cumulative(const torch::Tensor& logits, const Pixels& pixels, const CodecOptions& codec,
                     const torch::Tensor& weights, const LossOptions& options) {
  const auto position = depth_to_position(pixels.depth, codec);
  const auto thresholds = threshold_statistics(logits, position, weights.to(logits.options()));
  const auto depth = position_to_depth(thresholds.position, codec);
  return {.integer = pixels.mean(thresholds.cross_entropy),
          .fractional = {},
          .consistency = consistency_loss(depth, pixels, options)};
}

// Has weights of its own.
torch::Tensor sigmoid_loss(const torch::Tensor& logits, const Pixels& pixels,
                           const CodecOptions& codec, const LossOptions& options) {
  const auto prediction = plain_depth(logits.squeeze(1), codec);
  return pixels.mean_l1(prediction, pixels.depth) / 10 +
         silog(prediction, pixels.depth, pixels.counts, options.silog_lambda);
}

Objective hilbert(const torch::Tensor& logits, const Pixels& pixels, const CodecOptions& codec) {
  const auto distance = (logits.sigmoid() - hilbert_targets(pixels.depth, codec)).abs();
  return {.integer = pixels.mean(distance.mean(1)), .fractional = {}, .consistency = {}};
}

}  // namespace

DepthLoss::DepthLoss(const ModelOptions& model, const LossOptions& options)
    : kind_(model.head_kind()), codec_(model.params.codec), options_(options) {
  if (kind_ == HeadKind::kCumulative) {
    threshold_weights_ = threshold_weights(codec_.options(), options_);
  }
}

LossTerms DepthLoss::operator()(const torch::Tensor& integer_logits,
                                const torch::Tensor& fraction_logits,
                                const torch::Tensor& depth) const {
  const auto in_range = codec_.in_range(depth);
  LossTerms terms;
  terms.pixels = in_range.sum().item<int64_t>();
  terms.out_of_range = depth.size(0) - terms.pixels;
  if (terms.empty()) return terms;

  const CodecOptions& codec = codec_.options();
  const Pixels pixels{.depth = torch::where(in_range, depth, codec.max_depth),
                      .counts = in_range.to(depth.scalar_type()),
                      .number = terms.pixels};
  const LossParams& weights = options_.params;
  const auto add = [&](const torch::Tensor& loss, double weight, torch::Tensor& reported) {
    reported = loss.defined() ? loss.detach() : torch::zeros({}, integer_logits.options());
    if (!loss.defined()) return;
    terms.total = terms.total.defined() ? terms.total + weight * loss : weight * loss;
  };
  const auto weigh = [&](const Objective& objective) {
    add(objective.integer, weights.integer_weight, terms.integer);
    add(objective.fractional, weights.fractional_weight, terms.fractional);
    add(objective.consistency, weights.consistency_weight, terms.consistency);
  };
  switch (kind_) {
    case HeadKind::kCategorical:
      weigh(categorical(integer_logits, fraction_logits, pixels, codec_, options_));
      break;
    case HeadKind::kCumulative:
      weigh(cumulative(integer_logits, pixels, codec, threshold_weights_, options_));
      break;
    case HeadKind::kSigmoid:
      add({}, 0, terms.integer);
      add({}, 0, terms.fractional);
      add(sigmoid_loss(integer_logits, pixels, codec, options_), 1, terms.consistency);
      break;
    case HeadKind::kHilbert:
      weigh(hilbert(integer_logits, pixels, codec));
      break;
  }
  return terms;
}

LossTerms weighted_sum(std::span<const LossTerms> scales, std::span<const double> weights) {
  LossTerms sum;
  const auto add = [](torch::Tensor& to, const torch::Tensor& term) {
    to = to.defined() ? to + term : term;
  };
  for (size_t s = 0; s < scales.size(); ++s) {
    const LossTerms& terms = scales[s];
    if (weights[s] == 0) continue;
    sum.pixels = std::max(sum.pixels, terms.pixels);
    sum.out_of_range = std::max(sum.out_of_range, terms.out_of_range);
    if (terms.empty()) continue;
    add(sum.total, terms.total * weights[s]);
    add(sum.integer, terms.integer * weights[s]);
    add(sum.fractional, terms.fractional * weights[s]);
    add(sum.consistency, terms.consistency * weights[s]);
  }
  return sum;
}

}  // namespace dualdepth
