#include "dualdepth/model/depth_net.h"

#include <ATen/autocast_mode.h>
#include <fmt/format.h>

#include "dualdepth/base/error.h"
#include "dualdepth/model/map_pixels.h"

namespace dualdepth {
namespace {

// Autocast to bfloat16 while it lives; nothing for float32.
class AutocastScope {
 public:
  AutocastScope(c10::DeviceType device, Precision precision)
      : device_(device),
        enabled_before_(at::autocast::is_autocast_enabled(device)),
        type_before_(at::autocast::get_autocast_dtype(device)) {
    at::autocast::increment_nesting();
    at::autocast::set_autocast_dtype(device_, at::kBFloat16);
    at::autocast::set_autocast_enabled(device_, precision == Precision::kBFloat16);
  }
  ~AutocastScope() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device_, enabled_before_);
    at::autocast::set_autocast_dtype(device_, type_before_);
  }
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  c10::DeviceType device_;
  bool enabled_before_;
  at::ScalarType type_before_;
};

torch::Tensor per_channel(const std::vector<double>& values) {
  return torch::tensor(values, torch::kFloat32).view({1, 3, 1, 1});
}

// `constant` moves to where `like` is. Nothing is computed when it is there already, so that a
// trace holds its values.
void follow(torch::Tensor& constant, const torch::Tensor& like) {
  if (constant.device() == like.device() && constant.dtype() == like.dtype()) return;
  constant = constant.to(like.device(), like.scalar_type());
}

std::string shape_string(const torch::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes(), ", "));
}

void check_image_shape(const torch::Tensor& image) {
  const bool fits = image.dim() == 4 && image.size(1) == 3 && image.size(2) % 32 == 0 &&
                    image.size(3) % 32 == 0 && image.numel() > 0;
  if (fits) return;
  throw Error({.subject = "network input",
               .expected = "[N, 3, H, W] with H and W multiples of 32",
               .got = shape_string(image),
               .fix = "set data.image_shape accordingly"});
}

}  // namespace

DepthNetImpl::DepthNetImpl(const ModelOptions& options)
    : options_(options), mean_(per_channel(options.mean)), std_(per_channel(options.std)) {
  encoder_ = register_module("encoder", make_encoder(options));
  decoder_ = register_module("decoder", DualHeadDepthDecoder(encoder_->channels(), options));
  for (auto& parameter : parameters()) {
    if (parameter.dim() == 4) {
      parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
    }
  }
}

ScaleFeatures DepthNetImpl::features(const torch::Tensor& image, Precision precision,
                                     std::vector<torch::Tensor>* maps) {
  check_image_shape(image);
  check_batch_statistics(image);
  const AutocastScope autocast(image.device().type(), precision);
  follow(mean_, image);
  follow(std_, image);
  const auto normalised = (image - mean_) / std_;
  return decoder_->forward(
      encoder_->forward(normalised.contiguous(torch::MemoryFormat::ChannelsLast)), maps);
}

void DepthNetImpl::check_batch_statistics(const torch::Tensor& image) const {
  if (!is_training() || encoder_->batch_norm_frozen()) return;
  if (image.size(0) * image.size(2) * image.size(3) > 32 * 32) return;
  throw Error({.subject = "network input",
               .expected = "more than one value in the coarsest map to take batch statistics of",
               .got = shape_string(image),
               .fix = "train on larger pictures or larger batches"});
}

void DepthNetImpl::prepare_for_prediction() {
  eval();
  encoder_->fold_batch_norm();
  decoder_->split_filters();
}

void DepthNetImpl::set_decoding(const Decoding& decoding) {
  options_.params.codec.decoding = decoding.levels;
  options_.head.slope = decoding.slope;
  options_.head.quantile = decoding.quantile;
}

HeadOutput DepthNetImpl::heads(const torch::Tensor& feature, int64_t scale) {
  return decoder_->head(scale)(feature);
}

HeadOutput DepthNetImpl::heads_at(const torch::Tensor& feature, int64_t scale,
                                  const torch::Tensor& pixels) {
  const auto filters = decoder_->head(scale)->filters();
  const int64_t factor = int64_t{1} << scale;
  return apply_at(filters, feature, map_pixels(pixels, feature.size(3) * factor, factor));
}

}  // namespace dualdepth
