#include "dualdepth/model/dense_prediction.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "dualdepth/codec/hilbert_curve.h"
#include "dualdepth/codec/level_axis.h"
#include "dualdepth/codec/level_distribution.h"
#include "dualdepth/codec/plain_depth.h"
#include "dualdepth/codec/threshold_codec.h"
#include "dualdepth/model/distribution_head.h"
#include "dualdepth/model/level_head.h"
#include "dualdepth/model/threshold_head.h"

namespace dualdepth {
namespace {

// Pixels whose logits (8 MB with 256 levels) and patches stay in a CPU's cache.
constexpr int64_t kStripePixels = 8192;
// On a GPU each stripe costs the start of some 25 kernels; its logits take 67 MB.
constexpr int64_t kStripePixelsOnGpu = 65536;

struct Stripe {
  torch::Tensor depth, level, fraction;  // [P]; undefined as in DensePrediction
};

Stripe decode_levels(const HeadOutput& heads, const CodecOptions& options) {
  const DepthCodec codec(options);
  const auto fraction = heads.fraction_logits.sigmoid();
  if (options.decoding == LevelDecoding::kExpectation) {
    return {expected_depth(heads.integer_logits, fraction, options, 1), {}, {}};
  }
  const auto level = codec.choose_level(heads.integer_logits);
  auto depth = codec.decode(level, fraction);
  return {depth, codec.integer_channels() > 1 ? level : torch::Tensor(), fraction};
}

// heads: of prediction_filters().
Stripe decode(const HeadOutput& heads, HeadKind kind, const CodecOptions& codec) {
  const auto& logits = heads.integer_logits;
  switch (kind) {
    case HeadKind::kCategorical:
      return decode_levels(heads, codec);
    case HeadKind::kCumulative:
      return {position_to_depth(logits.clamp(0, 1).sum(1), codec), {}, {}};
    case HeadKind::kSigmoid:
      return {plain_depth(logits.squeeze(1), codec), {}, {}};
    case HeadKind::kHilbert:
      break;
  }
  return {hilbert_depth(logits.sigmoid(), codec), {}, {}};
}

torch::Tensor join(const std::vector<Stripe>& stripes, torch::Tensor Stripe::*part,
                   torch::IntArrayRef shape) {
  if (!(stripes.front().*part).defined()) return {};
  std::vector<torch::Tensor> parts;
  parts.reserve(stripes.size());
  for (const auto& stripe : stripes) parts.push_back(stripe.*part);
  return torch::cat(parts).view(shape);
}

// On the CPU, by the kernels of heads with K channels; nothing for other heads.
std::optional<DensePrediction> decode_whole(const HeadFilters& filters,
                                            const torch::Tensor& feature, HeadKind kind,
                                            const CodecOptions& options) {
  if (kind == HeadKind::kCumulative) {
    return DensePrediction{position_to_depth(ThresholdHead(filters)(feature), options), {}, {}};
  }
  const DepthCodec codec(options);
  if (kind != HeadKind::kCategorical || codec.integer_channels() == 1) return std::nullopt;
  if (options.decoding == LevelDecoding::kExpectation) {
    const auto heads = DistributionHead(filters).mean(feature, level_places(options));
    const auto place = heads.start + heads.slope * heads.fraction_logits.sigmoid();
    return DensePrediction{depth_at_place(place, options), {}, {}};
  }
  const auto heads = options.decoding == LevelDecoding::kMedian
                         ? DistributionHead(filters).median(feature)
                         : LevelHead(filters)(feature);
  const auto fraction = heads.fraction_logits.sigmoid();
  return DensePrediction{codec.decode(heads.level, fraction), heads.level, fraction};
}

}  // namespace

DensePrediction predict_dense(DepthNet& net, const torch::Tensor& image) {
  const torch::NoGradGuard no_grad;
  const auto [scale, feature] = *net->features(image).begin();
  const auto& options = net->options();
  const auto filters = prediction_filters(net, scale);
  const HeadKind kind = options.head_kind();
  const CodecOptions& codec = options.params.codec;
  if (feature.is_cpu()) {
    if (auto whole = decode_whole(filters, feature, kind, codec)) return *std::move(whole);
  }
  const int64_t pixels = feature.size(0) * feature.size(2) * feature.size(3);
  const int64_t at_once = feature.is_cpu() ? kStripePixels : kStripePixelsOnGpu;
  std::vector<Stripe> stripes;
  for (int64_t begin = 0; begin < pixels; begin += at_once) {
    const auto stripe = torch::arange(begin, std::min(begin + at_once, pixels),
                                      feature.options().dtype(torch::kInt64));
    stripes.push_back(decode(apply_at(filters, feature, stripe), kind, codec));
  }
  const std::vector<int64_t> shape = {feature.size(0), feature.size(2), feature.size(3)};
  return {join(stripes, &Stripe::depth, shape), join(stripes, &Stripe::level, shape),
          join(stripes, &Stripe::fraction, shape)};
}

HeadFilters prediction_filters(DepthNet& net, int64_t scale) {
  auto filters = net->decoder()->head(scale)->filters();
  const auto& head = net->options().head;
  switch (net->options().head_kind()) {
    case HeadKind::kCategorical:
      if (head.level_smoothing > 0 && head_channels(net->options()) > 1) {
        return smooth_levels(filters, head.level_smoothing);
      }
      break;
    case HeadKind::kCumulative:
      return fold_thresholds(filters, head.slope, head.quantile);
    case HeadKind::kSigmoid:
    case HeadKind::kHilbert:
      break;
  }
  return filters;
}

HeadFilters smooth_levels(const HeadFilters& filters, double sigma) {
  const torch::NoGradGuard no_grad;
  const auto& weight = filters.integer_weight;
  const auto level = torch::arange(weight.size(0), weight.options().dtype(torch::kFloat64));
  auto mixing = (((level.unsqueeze(1) - level) / sigma).square() * -0.5).exp();
  mixing = (mixing / mixing.sum(1, /*keepdim=*/true)).to(weight.scalar_type());
  HeadFilters smoothed = filters;
  smoothed.integer_weight = mixing.matmul(weight.flatten(1)).view(weight.sizes());
  smoothed.integer_bias = mixing.mv(filters.integer_bias);
  return smoothed;
}

HeadFilters fold_thresholds(const HeadFilters& filters, double slope, double quantile) {
  const torch::NoGradGuard no_grad;
  HeadFilters folded = filters;
  folded.integer_weight = filters.integer_weight * slope;
  folded.integer_bias = (filters.integer_bias - logit_offset(quantile)) * slope + 0.5;
  return folded;
}

}  // namespace dualdepth
