#pragma once

#include <torch/types.h>

#include <vector>

#include "dualdepth/model/encoder.h"
#include "dualdepth/model/inverted_residual.h"

namespace dualdepth {

// The light encoders: a 3x3 convolution of stride 2, then inverted residual blocks.
//
//   mobilenet_v2        Relu6, 3x3 (Sandler et al., 2018); torchvision's names (features.0.0,
//                       features.1.conv.0.0 ...); maps of 16, 24, 32, 96 and 320 channels
//   mobilenet_v3_large  Relu, then hardswish, 3x3 and 5x5, some blocks with squeeze-excitation
//                       (Howard et al., "Searching for MobileNetV3", 2019); torchvision's names
//                       (features.1.block.0.0 ...); 16, 24, 40, 112 and 160 channels
//   efficientnet_lite0  Relu6, 3x3 and 5x5: EfficientNet-B0 (Tan and Le, 2019) without
//                       squeeze-excitation; timm's names (conv_stem, blocks.0.0.conv_dw ...); 16,
//                       24, 40, 112 and 320 channels
//
// each times width. A map is what the last block of its size returns, which has no activation. The
// classifiers' last 1x1 convolution, to 960 or 1280 channels, is left out. Filters start from He's
// normal distribution (fan out, of depthwise ones that of one channel).
class InvertedResidualEncoder : public Encoder {
 public:
  explicit InvertedResidualEncoder(EncoderKind kind, double width = 1);

  EncoderFeatures forward(const torch::Tensor& image) override;

 private:
  struct Shape;
  struct Names;
  InvertedResidual add_block(const Names& names, const Shape& shape,
                             const NormConstants& constants);

  ConvBatchNorm* stem_ = nullptr;
  Activation stem_activation_ = Activation::kRelu6;
  std::vector<InvertedResidual> blocks_;
};

}  // namespace dualdepth
