#include "dualdepth/export/export_check.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/model/dense_prediction.h"

namespace dualdepth {
namespace {

using graph::Pictures;
using torch::Tensor;

int64_t count(const Tensor& pixels) { return pixels.sum().item<int64_t>(); }

double greatest(const Tensor& values) {
  return values.numel() == 0 ? 0 : values.max().item<double>();
}

// False where either is NaN.
Tensor is_close(const Tensor& a, const Tensor& b, double tolerance) {
  return (a - b).abs().le(tolerance);
}

// One picture: what the checkpoint computes, and what the file does.
class Comparison {
 public:
  Comparison(DepthNet& net, Tensor image, DensePrediction got)
      : net_(net),
        image_(std::move(image)),
        codec_(net->options().params.codec),
        expected_(predict_dense(net, image_)),
        got_(std::move(got)) {
    if (expected_.depth.isfinite().all().item<bool>()) return;
    throw Error({.subject = "checkpoint",
                 .expected = "finite depth",
                 .got = "NaN or infinity",
                 .fix = "choose a checkpoint from before the training diverged"});
  }

  void add_to(ExportCheck& check) const {
    const auto finite = is_finite();
    const auto doubtful = has_expected_level().logical_not().logical_and(finite);
    const auto ties = near_ties(doubtful);
    const auto strange = doubtful.logical_and(ties.logical_not());
    const auto compared = finite.logical_and(strange.logical_not());
    const auto depth = expected_depth(ties);
    const auto is_equal = compared.logical_and(is_in_tolerance(depth));
    const int64_t strangers = count(strange);
    check.pixels += finite.numel();
    check.non_finite += finite.numel() - count(finite);
    check.near_ties += count(ties);
    // Without levels there is only depth to compare.
    const bool jumps = got_.level.defined() || net_->options().head_kind() == HeadKind::kHilbert;
    (jumps ? check.other_levels : check.out_of_tolerance) += strangers;
    check.out_of_tolerance += count(compared) - count(is_equal);
    check.worst_depth =
        std::max(check.worst_depth, greatest((got_.depth - depth).abs().masked_select(is_equal)));
    if (got_.fraction.defined()) {
      const auto difference = (got_.fraction - expected_.fraction).abs();
      check.worst_fraction =
          std::max(check.worst_fraction, greatest(difference.masked_select(finite)));
    }
  }

  // Of |difference| over finite pixels, m.
  double sum_of_differences() const {
    const auto difference = (got_.depth - expected_.depth).abs().to(torch::kFloat64);
    return difference.masked_select(is_finite()).sum().item<double>();
  }

 private:
  Tensor is_finite() const {
    const auto finite = got_.depth.isfinite();
    return got_.fraction.defined() ? finite.logical_and(got_.fraction.isfinite()) : finite;
  }

  Tensor has_expected_level() const {
    if (got_.level.defined()) return got_.level.eq(expected_.level);
    return is_close(got_.depth, expected_.depth, kDepthTolerance);
  }

  // Those of the doubtful pixels where rounding decides between the file's level and the
  // checkpoint's.
  Tensor near_ties(const Tensor& doubtful) const {
    auto ties = torch::zeros_like(doubtful);
    if (!expected_.level.defined() || count(doubtful) == 0) return ties;
    const auto pixels = doubtful.flatten().nonzero().squeeze(1);
    const auto [scale, feature] = *net_->features(image_).begin();
    const auto filters = prediction_filters(net_, scale);
    const auto logits = apply_at(filters, feature, pixels).integer_logits;
    const bool is_median = codec_.options().decoding == LevelDecoding::kMedian;
    ties.view(-1).index_put_(
        {pixels}, is_median ? are_near_medians(logits, pixels) : are_two_best(logits, pixels));
    return ties;
  }

  // The shares that decide between the file's level and the checkpoint's add up to nearly a half.
  Tensor are_near_medians(const Tensor& logits, const Tensor& pixels) const {
    const auto level = got_.level.flatten().index({pixels});
    const auto is_below = level.lt(expected_.level.flatten().index({pixels}));
    const auto last = torch::where(is_below, level, level - 1).clamp_min(0).unsqueeze(1);
    const auto share = logits.softmax(1).cumsum(1).gather(1, last).squeeze(1);
    return is_close(share, torch::full_like(share, 0.5), kNearTie);
  }

  // The checkpoint's two best logits are close and the file has one of their levels.
  Tensor are_two_best(const Tensor& all_logits, const Tensor& pixels) const {
    const auto at = [&](const Tensor& map) { return map.flatten().index({pixels}); };
    const auto [logits, levels] = all_logits.topk(2, 1);
    auto excused = (logits.select(1, 0) - logits.select(1, 1)).lt(kNearTie);
    auto is_one = torch::zeros_like(excused);
    for (const int64_t i : {0, 1}) {
      const auto level = levels.select(1, i);
      is_one.logical_or_(got_.level.defined()
                             ? at(got_.level).eq(level)
                             : is_close(at(got_.depth),
                                        codec_.decode(level, at(expected_.fraction)),
                                        kDepthTolerance));
    }
    return excused.logical_and(is_one);
  }

  // What the checkpoint's fraction composes with the file's level.
  Tensor expected_depth(const Tensor& ties) const {
    if (!got_.level.defined()) return torch::where(ties, got_.depth, expected_.depth);
    const auto level = got_.level.clamp(0, codec_.integer_channels() - 1);
    return codec_.decode(level, expected_.fraction);
  }

  Tensor is_in_tolerance(const Tensor& depth) const {
    auto close = is_close(got_.depth, depth, kDepthTolerance);
    if (!got_.fraction.defined()) return close;
    return close.logical_and(is_close(got_.fraction, expected_.fraction, kFractionTolerance));
  }

  DepthNet& net_;
  Tensor image_;
  DepthCodec codec_;
  DensePrediction expected_, got_;
};

}  // namespace

bool ExportCheck::holds() const {
  return non_finite == 0 && out_of_tolerance == 0 && clipped_winners == 0 &&
         static_cast<double>(other_levels) <=
             kOtherLevels * static_cast<double>(pixels - near_ties);
}

void run_pictures(ExportedModel& exported, const Pictures& pictures, int64_t batch,
                  const PictureUse& use) {
  const auto size = static_cast<size_t>(batch);
  for (size_t first = 0; first < pictures.count; first += size) {
    std::vector<Tensor> images;
    for (size_t i = first; i < first + size; ++i) {
      images.push_back(i < pictures.count ? pictures.at(i) : images.back());
    }
    const auto all = to_prediction(exported.run(torch::cat(images)), exported.contract());
    for (size_t i = first; i < std::min(first + size, pictures.count); ++i) {
      const auto row = [&](const Tensor& maps) {
        return maps.defined() ? maps.narrow(0, static_cast<int64_t>(i - first), 1) : maps;
      };
      use(i, images[i - first], {row(all.depth), row(all.level), row(all.fraction)});
    }
  }
}

ExportCheck check_export(DepthNet& net, ExportedModel& exported, const Pictures& pictures,
                         int64_t batch) {
  const torch::NoGradGuard no_grad;
  ExportCheck check;
  double sum = 0;
  run_pictures(exported, pictures, batch,
               [&](size_t, const Tensor& image, const DensePrediction& got) {
                 const Comparison comparison(net, image, got);
                 comparison.add_to(check);
                 sum += comparison.sum_of_differences();
                 ++check.pictures;
               });
  const int64_t finite = check.pixels - check.non_finite;
  if (finite > 0) check.mean_difference = sum / static_cast<double>(finite);
  return check;
}

}  // namespace dualdepth
