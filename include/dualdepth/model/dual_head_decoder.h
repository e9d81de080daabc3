#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "dualdepth/config/model_options.h"
#include "dualdepth/model/dual_head.h"
#include "dualdepth/model/encoder.h"

namespace dualdepth {

// Feature maps by scale: scale s has 1/2^s of the input's size.
using ScaleFeatures = std::map<int64_t, torch::Tensor>;

// U-Net decoder (after Godard et al., "Digging Into Self-Supervised Monocular Depth Estimation",
// 2019) with a dual head at each chosen scale. For i = 4, 3, ... down to the finest scale:
//
//   x = relu(upconv_i_0(x)); x = nearest x2; x = concat(x, skip_i); x = relu(upconv_i_1(x))
//
// with 256, 128, 64, 32, 16 channels (times model.decoder_width) for i = 4..0, zero padding,
// Xavier-uniform filters and zero biases. Scale 0 has no skip. With model.decoder_block: separable
// each upconv is a depthwise 3x3 convolution without bias and a 1x1 one behind it,
// upconv_<i>_<0|1>.depthwise and .pointwise.
class DualHeadDepthDecoderImpl : public torch::nn::Module {
 public:
  DualHeadDepthDecoderImpl(const std::array<int64_t, 5>& encoder_channels,
                           const ModelOptions& options);

  // The maps that feed the heads, one for each of model.head.scales. maps: where given, receives
  // what each Relu lets through, coarse to fine.
  ScaleFeatures forward(const EncoderFeatures& encoded, std::vector<torch::Tensor>* maps = nullptr);

  // Prediction only: from now on what is upsampled is convolved before it (see
  // upsampled_filters.h), a fifth fewer products, with the parameters as they are now; until
  // train() or eval() is called again. Separable convolutions are left as they are.
  void split_filters();

  void train(bool on = true) override;

  // Throws std::out_of_range when the scale has no head.
  DualHead& head(int64_t scale) { return heads_.at(scale); }

 private:
  struct UpConv {
    torch::nn::Conv2d depthwise{nullptr};  // of a separable one
    torch::nn::Conv2d conv{nullptr};       // 3x3, or 1x1 behind depthwise

    torch::Tensor operator()(const torch::Tensor& x);
  };

  struct Stage {
    UpConv before;  // upconv_i_0
    UpConv after;   // upconv_i_1
    // after's filters, of the map that is doubled and of the skip; undefined where not split.
    torch::Tensor doubled_filters{}, skip_filters{};

    // upconv_i_1(concat(nearest x2 of map, skip)), skip where there is one.
    torch::Tensor upsample(const torch::Tensor& map, const torch::Tensor& skip);
  };

  UpConv add_upconv(const std::string& name, int64_t in, int64_t out, DecoderBlock block);

  std::map<int64_t, Stage, std::greater<>> stages_;  // coarse to fine
  std::map<int64_t, DualHead> heads_;
};
TORCH_MODULE(DualHeadDepthDecoder);

}  // namespace dualdepth
