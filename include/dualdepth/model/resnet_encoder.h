#pragma once

#include <torch/types.h>

#include <array>
#include <vector>

#include "dualdepth/model/encoder.h"

namespace dualdepth {

// ResNet-18, 34, 50 and 101 (He et al., "Deep Residual Learning for Image Recognition", 2016) in
// torchvision's names (conv1, bn1, layer1.0.conv1 ... layer2.0.downsample.0). The maps are those of
// relu(bn1), layer1, layer2, layer3 and layer4, with {64, 64, 128, 256, 512} channels times width,
// from the second on times 4 for ResNet-50 and 101. Convolutions start from He's normal
// distribution (fan out), as torchvision's do.
class ResNetEncoder : public Encoder {
 public:
  explicit ResNetEncoder(EncoderKind kind, double width = 1);

  EncoderFeatures forward(const torch::Tensor& image) override;

 private:
  // y = relu(convs(x) + x), with a 1x1 projection of x where size or width changes.
  struct Block {
    std::vector<ConvBatchNorm*> convs;
    ConvBatchNorm* projection = nullptr;

    torch::Tensor operator()(const torch::Tensor& x) const;
  };

  Block add_block(const std::string& name, const std::vector<ConvShape>& shapes);

  ConvBatchNorm* stem_ = nullptr;
  std::array<std::vector<Block>, 4> layers_;
};

}  // namespace dualdepth
