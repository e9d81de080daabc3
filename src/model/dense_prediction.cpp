#include "dualdepth/model/dense_prediction.h"

#include <algorithm>
#include <vector>

#include "dualdepth/codec/plain_depth.h"
#include "dualdepth/model/level_head.h"

namespace dualdepth {
namespace {

// Pixels whose logits (8 MB with 256 levels) and patches stay in a CPU's cache.
constexpr int64_t kStripePixels = 8192;
// On a GPU each stripe costs the start of some 25 kernels; its logits take 67 MB.
constexpr int64_t kStripePixelsOnGpu = 65536;

struct Stripe {
  torch::Tensor depth, level, fraction;  // [P]; undefined as in DensePrediction
};

Stripe decode(const HeadOutput& heads, const DepthCodec& codec) {
  if (!heads.fraction_logits.defined()) {
    return {plain_depth(heads.integer_logits.squeeze(1), codec.options()), {}, {}};
  }
  const bool has_levels = codec.integer_channels() > 1;
  const auto level = codec.choose_level(heads.integer_logits);
  const auto fraction = heads.fraction_logits.sigmoid();
  auto depth = codec.decode(level, fraction);
  return {depth, has_levels ? level : torch::Tensor(), fraction};
}

torch::Tensor join(const std::vector<Stripe>& stripes, torch::Tensor Stripe::*part,
                   torch::IntArrayRef shape) {
  if (!(stripes.front().*part).defined()) return {};
  std::vector<torch::Tensor> parts;
  parts.reserve(stripes.size());
  for (const auto& stripe : stripes) parts.push_back(stripe.*part);
  return torch::cat(parts).view(shape);
}

// Two heads on the CPU, by their own kernel.
DensePrediction decode_whole(const HeadFilters& filters, const torch::Tensor& feature,
                             const DepthCodec& codec) {
  const auto heads = LevelHead(filters)(feature);
  const auto fraction = heads.fraction_logits.sigmoid();
  return {codec.decode(heads.level, fraction), heads.level, fraction};
}

}  // namespace

DensePrediction predict_dense(DepthNet& net, const torch::Tensor& image) {
  const torch::NoGradGuard no_grad;
  const auto [scale, feature] = *net->features(image).begin();
  const auto& options = net->options();
  const auto filters = prediction_filters(net, scale);
  const DepthCodec codec(options.params.codec);
  if (feature.is_cpu() && options.params.use_dual_head && codec.integer_channels() > 1) {
    return decode_whole(filters, feature, codec);
  }
  const int64_t pixels = feature.size(0) * feature.size(2) * feature.size(3);
  const int64_t at_once = feature.is_cpu() ? kStripePixels : kStripePixelsOnGpu;
  std::vector<Stripe> stripes;
  for (int64_t begin = 0; begin < pixels; begin += at_once) {
    const auto stripe = torch::arange(begin, std::min(begin + at_once, pixels),
                                      feature.options().dtype(torch::kInt64));
    stripes.push_back(decode(apply_at(filters, feature, stripe), codec));
  }
  const std::vector<int64_t> shape = {feature.size(0), feature.size(2), feature.size(3)};
  return {join(stripes, &Stripe::depth, shape), join(stripes, &Stripe::level, shape),
          join(stripes, &Stripe::fraction, shape)};
}

HeadFilters prediction_filters(DepthNet& net, int64_t scale) {
  const auto filters = net->decoder()->head(scale)->filters();
  const double sigma = net->options().head.level_smoothing;
  const bool smooths = sigma > 0 && integer_channels(net->options().params) > 1;
  return smooths ? smooth_levels(filters, sigma) : filters;
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

}  // namespace dualdepth
