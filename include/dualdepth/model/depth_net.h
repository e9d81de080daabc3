#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <memory>

#include "dualdepth/config/model_options.h"
#include "dualdepth/config/train_options.h"
#include "dualdepth/model/dual_head_decoder.h"
#include "dualdepth/model/encoder.h"

namespace dualdepth {

// How the logits of a trained head become depth: `levels` of a categorical head
// (codec/level_distribution.h), slope and quantile of a cumulative one (codec/threshold_codec.h).
struct Decoding {
  LevelDecoding levels = LevelDecoding::kArgmax;
  double slope = 1;
  double quantile = 0.5;
};

// The whole network: input normalisation, encoder, decoder, heads. Its tensors are named
// encoder.<the library's name>, decoder.upconv_<i>_<0|1>, decoder.head_<scale>.<integer|fraction>;
// filters are kept in channels-last, which is what its convolutions are fastest in.
//
//   const auto features = net->features(batch.image, precision);
//   const auto heads = net->heads_at(features.at(0), 0, batch.pixels);   // training
//
// dualdepth/model/dense_prediction.h turns pictures into depth maps.
class DepthNetImpl : public torch::nn::Module {
 public:
  explicit DepthNetImpl(const ModelOptions& options);

  // image: float [N, 3, H, W] RGB in 0..1, H and W multiples of 32, fastest in channels-last.
  // Returns the decoder's maps at each of model.head.scales. With kBFloat16 encoder and decoder run
  // in autocast and the maps are bfloat16. maps: where given, receives what each Relu of the
  // decoder lets through, coarse to fine. Throws Error for another shape.
  ScaleFeatures features(const torch::Tensor& image, Precision precision = Precision::kFloat32,
                         std::vector<torch::Tensor>* maps = nullptr);

  // Both heads everywhere. feature: features().at(scale).
  HeadOutput heads(const torch::Tensor& feature, int64_t scale);

  // Both heads at single pixels only: `pixels` is int64 [P], (n * H + y) * W + x at the *input's*
  // resolution; at scale s a pixel reads the map at (y >> s, x >> s). Equals indexing heads().
  HeadOutput heads_at(const torch::Tensor& feature, int64_t scale, const torch::Tensor& pixels);

  // Puts the network into evaluation mode and makes it predict faster: its batch norm is folded and
  // its decoder convolves before it upsamples. Maps differ by rounding alone. The parameters stay
  // as they are and may not change until train() or eval() is called, which take this back; move
  // the network to its device before.
  void prepare_for_prediction();

  const ModelOptions& options() const { return options_; }
  // Changes what only predictions read: model.params.decoding of a categorical head,
  // model.head.slope and quantile of a cumulative one.
  void set_decoding(const Decoding& decoding);
  Encoder& encoder() { return *encoder_; }
  DualHeadDepthDecoder& decoder() { return decoder_; }

 private:
  void check_batch_statistics(const torch::Tensor& image) const;

  ModelOptions options_;
  torch::Tensor mean_, std_;  // [1, 3, 1, 1]
  std::shared_ptr<Encoder> encoder_;
  DualHeadDepthDecoder decoder_{nullptr};
};
TORCH_MODULE(DepthNet);

}  // namespace dualdepth
