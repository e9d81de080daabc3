#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <cstdint>

#include "dualdepth/config/model_options.h"

namespace dualdepth {

// What the heads say before softmax and sigmoid, always float32. Dense: [N, K, h, w] and [N, h, w].
// At single pixels: [P, K] and [P]. For codec `continuous` K is 1 (the logit of depth / M). Without
// a second head (use_dual_head: false) K is 1 as well and `fraction_logits` is undefined.
struct HeadOutput {
  torch::Tensor integer_logits;
  torch::Tensor fraction_logits;
};

// The filters of both heads, [K, C, 3, 3] and [1, C, 3, 3], with their biases; the fraction's are
// undefined without a second head.
struct HeadFilters {
  torch::Tensor integer_weight, integer_bias;
  torch::Tensor fraction_weight, fraction_bias;
};

// Both heads only at `pixels`: int64 [P], (n * h + y) * w + x in the feature map [N, C, h, w].
// Equals indexing the dense result, at the cost of one [P, 9 C] x [9 C, K] product.
HeadOutput apply_at(const HeadFilters& filters, const torch::Tensor& feature,
                    const torch::Tensor& pixels);

// Channels of the integer head that these parameters ask for.
int64_t integer_channels(const ModelParams& params);

// The two 3x3 convolutions `integer` (K channels) and `fraction` (one channel) over one feature map
// of the decoder.
class DualHeadImpl : public torch::nn::Module {
 public:
  DualHeadImpl(int64_t in_channels, const ModelParams& params);

  // feature: [N, C, h, w].
  HeadOutput forward(const torch::Tensor& feature);

  // Share memory and gradients with the module.
  HeadFilters filters() const;

 private:
  torch::nn::Conv2d integer_{nullptr};
  torch::nn::Conv2d fraction_{nullptr};
};
TORCH_MODULE(DualHead);

}  // namespace dualdepth
