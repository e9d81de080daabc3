#include "dualdepth/model/dual_head.h"

#include "dualdepth/codec/depth_codec.h"
#include "dualdepth/codec/threshold_codec.h"
#include "dualdepth/model/patch_gather.h"

namespace dualdepth {
namespace {

torch::nn::Conv2d conv3x3(int64_t in, int64_t out) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).padding(1));
}

// patches: [P, 9 C] in gather_patches' order. Returns [P, K].
torch::Tensor apply_to_patches(const torch::Tensor& weight, const torch::Tensor& bias,
                               const torch::Tensor& patches) {
  const auto rows = weight.permute({0, 2, 3, 1}).reshape({weight.size(0), -1});
  return torch::addmm(bias, patches, rows.t());
}

}  // namespace

HeadOutput apply_at(const HeadFilters& filters, const torch::Tensor& feature,
                    const torch::Tensor& pixels) {
  const auto patches = gather_patches(feature.to(torch::kFloat32), pixels);
  HeadOutput output{
      .integer_logits = apply_to_patches(filters.integer_weight, filters.integer_bias, patches),
      .fraction_logits = {}};
  if (filters.fraction_weight.defined()) {
    output.fraction_logits =
        apply_to_patches(filters.fraction_weight, filters.fraction_bias, patches).squeeze(1);
  }
  return output;
}

int64_t head_channels(const ModelOptions& options) {
  switch (options.head_kind()) {
    case HeadKind::kCategorical:
      return DepthCodec(options.params.codec).integer_channels();
    case HeadKind::kCumulative:
      return options.params.codec.n_integer_levels;
    case HeadKind::kSigmoid:
      return 1;
    case HeadKind::kHilbert:
      break;
  }
  return 2;
}

DualHeadImpl::DualHeadImpl(int64_t in_channels, const ModelOptions& options) {
  integer_ = register_module("integer", conv3x3(in_channels, head_channels(options)));
  if (options.head_kind() == HeadKind::kCategorical) {
    fraction_ = register_module("fraction", conv3x3(in_channels, 1));
  }
}

void DualHeadImpl::begin_at_prior(const ModelOptions& options) {
  if (options.head_kind() != HeadKind::kCumulative) return;
  const torch::NoGradGuard no_grad;
  integer_->bias.copy_(prior_logits(options.params.codec));
}

HeadOutput DualHeadImpl::forward(const torch::Tensor& feature) {
  const auto x = feature.to(torch::kFloat32);
  HeadOutput output{.integer_logits = integer_(x), .fraction_logits = {}};
  if (!fraction_.is_empty()) output.fraction_logits = fraction_(x).squeeze(1);
  return output;
}

HeadFilters DualHeadImpl::filters() const {
  HeadFilters filters{integer_->weight, integer_->bias, {}, {}};
  if (!fraction_.is_empty()) {
    filters.fraction_weight = fraction_->weight;
    filters.fraction_bias = fraction_->bias;
  }
  return filters;
}

}  // namespace dualdepth
