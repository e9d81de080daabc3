#include "dualdepth/model/encoder.h"

#include "dualdepth/model/inverted_residual_encoder.h"
#include "dualdepth/model/resnet_encoder.h"

namespace dualdepth {

ConvBatchNorm& Encoder::add(const std::string& conv, const std::string& norm,
                            const ConvShape& shape, const NormConstants& constants) {
  return convs_.emplace_back(*this, conv, norm, shape, constants);
}

void Encoder::finish(const std::array<int64_t, 5>& channels) {
  channels_ = channels;
  for (auto& conv : convs_) conv.reset_filters();
}

void Encoder::freeze_batch_norm() {
  batch_norm_frozen_ = true;
  train(is_training());
}

void Encoder::fold_batch_norm() {
  TORCH_CHECK(!is_training(), "fold_batch_norm: in evaluation mode");
  for (auto& conv : convs_) conv.fold();
}

void Encoder::train(bool on) {
  torch::nn::Module::train(on);
  for (auto& conv : convs_) {
    conv.unfold();
    if (batch_norm_frozen_) conv.freeze();
  }
}

std::shared_ptr<Encoder> make_encoder(const ModelOptions& options) {
  switch (options.encoder) {
    case EncoderKind::kResNet18:
    case EncoderKind::kResNet34:
    case EncoderKind::kResNet50:
    case EncoderKind::kResNet101:
      return std::make_shared<ResNetEncoder>(options.encoder, options.encoder_width);
    case EncoderKind::kMobileNetV2:
    case EncoderKind::kMobileNetV3Large:
    case EncoderKind::kEfficientNetLite0:
      break;
  }
  return std::make_shared<InvertedResidualEncoder>(options.encoder, options.encoder_width);
}

}  // namespace dualdepth
