#pragma once

#include <vector>

#include "dualdepth/config/field.h"

namespace dualdepth {

enum class IntegerLossKind { kSoftLabels, kCrossEntropy, kOrdinal };
template <>
struct EnumNames<IntegerLossKind> {
  static constexpr std::array values{std::pair{IntegerLossKind::kSoftLabels, "soft_labels"},
                                     std::pair{IntegerLossKind::kCrossEntropy, "cross_entropy"},
                                     std::pair{IntegerLossKind::kOrdinal, "ordinal"}};
};

enum class ConsistencyLossKind { kSiLog, kL1 };
template <>
struct EnumNames<ConsistencyLossKind> {
  static constexpr std::array values{std::pair{ConsistencyLossKind::kSiLog, "silog"},
                                     std::pair{ConsistencyLossKind::kL1, "l1"}};
};

// How much each threshold of a cumulative head weighs in its loss (loss/threshold_loss.h).
enum class ThresholdWeighting { kInverseDepth, kUniform };
template <>
struct EnumNames<ThresholdWeighting> {
  static constexpr std::array values{std::pair{ThresholdWeighting::kInverseDepth, "inverse_depth"},
                                     std::pair{ThresholdWeighting::kUniform, "uniform"}};
};

// loss.params: the original keys with the original values.
struct LossParams {
  double integer_weight = 1.0;
  double fractional_weight = 10.0;
  double consistency_weight = 0.5;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("integer_weight", integer_weight, {.help = "weight of the level loss", .min = 0});
    v.field("fractional_weight", fractional_weight,
            {.help = "weight of the fraction loss", .min = 0});
    v.field("consistency_weight", consistency_weight,
            {.help = "weight of the loss between expected and true depth", .min = 0});
  }
};

struct LossOptions {
  IntegerLossKind integer = IntegerLossKind::kSoftLabels;
  double soft_label_sigma = 2.0;  // levels
  ThresholdWeighting threshold_weighting = ThresholdWeighting::kInverseDepth;
  double threshold_offset = 2;  // m
  ConsistencyLossKind consistency = ConsistencyLossKind::kSiLog;
  double silog_lambda = 0.85;
  double logsumexp_weight = 0;
  double activation_weight = 0;
  std::vector<double> scale_weights = {1, 0, 0, 0};
  LossParams params;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("integer", integer,
            {.help = "objective of the integer head of head.kind: categorical"});
    v.field("soft_label_sigma", soft_label_sigma,
            {.help = "width of the Gaussian over neighbouring levels, for soft_labels",
             .unit = "levels",
             .min = 0.05,
             .max = 64});
    v.field("threshold_weighting", threshold_weighting,
            {.help = "weights of the thresholds of head.kind: cumulative"});
    v.field("threshold_offset", threshold_offset,
            {.help = "inverse_depth weighs a threshold by 1 / (its depth + this)",
             .unit = "m",
             .min = 0.01,
             .max = 1e4});
    v.field("consistency", consistency, {.help = "objective of the expected depth"});
    v.field("silog_lambda", silog_lambda,
            {.help = "share of the mean log error that silog forgives", .min = 0, .max = 1});
    v.field("logsumexp_weight", logsumexp_weight,
            {.help = "weight of squared logsumexp of the logits, which keeps them near zero",
             .min = 0});
    v.field("activation_weight", activation_weight,
            {.help = "weight of the decoder maps' mean square, which keeps them small where there "
                     "is no ground truth; 8 bits lose less then",
             .min = 0});
    v.field("scale_weights", scale_weights,
            {.help = "weight of each scale's loss", .min = 0, .length = 4});
    v.group("params", params);
  }
};

}  // namespace dualdepth
