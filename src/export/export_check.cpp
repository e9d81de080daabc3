#include "dualdepth/export/export_check.h"

#include <algorithm>

#include "dualdepth/model/dense_prediction.h"

namespace dualdepth {
namespace {

using graph::Pictures;

// Of the pixels where `doubtful` [N, h, w] is true: how many have their two best logits close.
int64_t count_near_ties(DepthNet& net, const torch::Tensor& image, const torch::Tensor& doubtful) {
  if (integer_channels(net->options().params) == 1) return 0;
  const auto pixels = doubtful.flatten().nonzero().squeeze(1);
  const auto [scale, feature] = *net->features(image).begin();
  const auto filters = prediction_filters(net, scale);
  const auto [best, unused] = apply_at(filters, feature, pixels).integer_logits.topk(2, 1);
  return (best.select(1, 0) - best.select(1, 1)).lt(kNearTie).sum().item<int64_t>();
}

double greatest(const torch::Tensor& values) {
  return values.numel() == 0 ? 0 : values.max().item<double>();
}

}  // namespace

ExportCheck check_export(DepthNet& net, ExportedModel& exported, const Pictures& pictures) {
  const torch::NoGradGuard no_grad;
  ExportCheck check;
  double sum = 0;
  for (size_t index = 0; index < pictures.count; ++index) {
    const auto image = pictures.at(index);
    const auto expected = predict_dense(net, image);
    const auto got = to_prediction(exported.run(image), exported.contract());
    const auto difference = (got.depth - expected.depth).abs();
    auto doubtful = difference.gt(kDepthTolerance);
    if (got.level.defined()) doubtful.logical_or_(got.level.ne(expected.level));
    const int64_t doubts = doubtful.sum().item<int64_t>();
    const int64_t ties = doubts == 0 ? 0 : count_near_ties(net, image, doubtful);
    const auto agrees = doubtful.logical_not();
    ++check.pictures;
    check.pixels += difference.numel();
    check.near_ties += ties;
    check.disagreements += doubts - ties;
    check.worst_depth = std::max(check.worst_depth, greatest(difference.masked_select(agrees)));
    if (got.fraction.defined()) {
      check.worst_fraction =
          std::max(check.worst_fraction, greatest((got.fraction - expected.fraction).abs()));
    }
    sum += difference.to(torch::kFloat64).sum().item<double>();
  }
  if (check.pixels > 0) check.mean_difference = sum / static_cast<double>(check.pixels);
  return check;
}

}  // namespace dualdepth
