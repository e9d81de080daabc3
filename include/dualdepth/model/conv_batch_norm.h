#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/types.h>

#include <cstdint>
#include <string>

namespace dualdepth {

// A square convolution without bias, zero padding kernel / 2.
struct ConvShape {
  int64_t in, out, kernel, stride;
};

// A convolution and the batch norm behind it, registered with the module they belong to under the
// two names. Prediction may compute both at once: with the running mean m and variance v
//
//   gamma (w * x - m) / sqrt(v + eps) + beta = (s w) * x + (beta - s m)
//
// where s = gamma / sqrt(v + eps).
class ConvBatchNorm {
 public:
  ConvBatchNorm(torch::nn::Module& parent, const std::string& conv, const std::string& norm,
                const ConvShape& shape);

  torch::Tensor operator()(const torch::Tensor& x);

  // From now on computes with one set of filters, as the parameters and statistics are now.
  void fold();
  void unfold() { folded_weight_ = folded_bias_ = torch::Tensor(); }

 private:
  int64_t stride_, padding_;
  torch::nn::Conv2d conv_;
  torch::nn::BatchNorm2d norm_;
  torch::Tensor folded_weight_, folded_bias_;  // defined where folded
};

}  // namespace dualdepth
