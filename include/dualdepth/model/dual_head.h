#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <cstdint>

#include "dualdepth/config/model_options.h"

namespace dualdepth {

// What the head returns before softmax, sigmoid or clip, always float32. Dense: [N, C, h, w] and
// [N, h, w]. At single pixels: [P, C] and [P]. C is head_channels(). Only a categorical head has
// `fraction_logits`; undefined otherwise.
struct HeadOutput {
  torch::Tensor integer_logits;
  torch::Tensor fraction_logits;
};

// The filters of both convolutions, [K, C, 3, 3] and [1, C, 3, 3], with their biases; the
// fraction's are undefined where the head is not categorical.
struct HeadFilters {
  torch::Tensor integer_weight, integer_bias;
  torch::Tensor fraction_weight, fraction_bias;
};

// Both heads only at `pixels`: int64 [P], (n * h + y) * w + x in the feature map [N, C, h, w].
// Equals indexing the dense result, at the cost of one [P, 9 C] x [9 C, K] product.
HeadOutput apply_at(const HeadFilters& filters, const torch::Tensor& feature,
                    const torch::Tensor& pixels);

// Channels of the convolution `integer`: K of a categorical head (1 with codec `continuous`, the
// logit of depth / M), K of a cumulative, 1 of a sigmoid and 2 of a Hilbert head.
int64_t head_channels(const ModelOptions& options);

// The 3x3 convolutions over one feature map of the decoder: `integer` (head_channels()) and, of a
// categorical head, `fraction` (one channel).
class DualHeadImpl : public torch::nn::Module {
 public:
  DualHeadImpl(int64_t in_channels, const ModelOptions& options);

  // Lets the logits of a cumulative head begin at prior_logits() (codec/threshold_codec.h): these
  // become its biases. Other heads are left as they are.
  void begin_at_prior(const ModelOptions& options);

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
