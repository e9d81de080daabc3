#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "dualdepth/config/model_options.h"
#include "dualdepth/model/conv_batch_norm.h"

namespace dualdepth {

// The maps of an encoder, fine to coarse: at 1/2, 1/4, 1/8, 1/16 and 1/32 of the input's size.
using EncoderFeatures = std::array<torch::Tensor, 5>;

// A network that turns a picture into five maps: a classifier of ImageNet without its last layers.
// Its tensors have the names of the library that publishes its weights, so that these load. All its
// convolutions are followed by a batch norm, except those of squeeze-excitation.
//
//   const auto encoder = make_encoder(options);
//   const EncoderFeatures features = encoder->forward(image);
//
// The kinds are in dualdepth/model/resnet_encoder.h and inverted_residual_encoder.h.
class Encoder : public torch::nn::Module {
 public:
  // image: float [N, 3, H, W], normalised; H and W multiples of 32.
  virtual EncoderFeatures forward(const torch::Tensor& image) = 0;

  // Channels of each map.
  const std::array<int64_t, 5>& channels() const { return channels_; }

  // From now on train() leaves every batch norm in evaluation mode: its statistics stay as they
  // are, its scale and shift still learn.
  void freeze_batch_norm();
  bool batch_norm_frozen() const { return batch_norm_frozen_; }

  // Prediction only: from now on each convolution and its batch norm are computed as one (see
  // ConvBatchNorm), with the parameters as they are now; until train() or eval() is called again.
  void fold_batch_norm();

  void train(bool on = true) override;

 protected:
  Encoder() = default;

  // Adds a convolution with its batch norm; the reference stays valid.
  ConvBatchNorm& add(const std::string& conv, const std::string& norm, const ConvShape& shape,
                     const NormConstants& constants = {});

  // To be called by constructors at their end: draws the filters of all that was added.
  void finish(const std::array<int64_t, 5>& channels);

 private:
  std::array<int64_t, 5> channels_{};
  bool batch_norm_frozen_ = false;
  std::deque<ConvBatchNorm> convs_;
};

// Returns the encoder model.encoder with its channels times model.encoder_width, with random
// weights.
std::shared_ptr<Encoder> make_encoder(const ModelOptions& options);

}  // namespace dualdepth
