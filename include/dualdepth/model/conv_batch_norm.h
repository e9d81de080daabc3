#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/types.h>

#include <cstdint>
#include <string>

namespace dualdepth {

// A square convolution without bias, zero padding kernel / 2. groups = in = out: depthwise.
struct ConvShape {
  int64_t in, out, kernel, stride;
  int64_t groups = 1;
};

// Of a batch norm: what it adds to variances, and the weight of a batch in its running statistics.
struct NormConstants {
  double eps = 1e-5;
  double momentum = 0.1;
};

// A convolution and the batch norm behind it, registered below the module they belong to under the
// two dotted names. Prediction may compute both at once: with the running mean m and variance v
//
//   gamma (w * x - m) / sqrt(v + eps) + beta = (s w) * x + (beta - s m)
//
// where s = gamma / sqrt(v + eps).
class ConvBatchNorm {
 public:
  // conv, norm: "layer1.0.conv1", "layer1.0.bn1"; modules on the way that are missing are added.
  ConvBatchNorm(torch::nn::Module& parent, const std::string& conv, const std::string& norm,
                const ConvShape& shape, const NormConstants& constants = {});

  torch::Tensor operator()(const torch::Tensor& x);

  // Draws the filters from He's normal distribution (fan out of one group).
  void reset_filters();

  // From now on computes with one set of filters, as the parameters and statistics are now.
  void fold();
  void unfold() { folded_weight_ = folded_bias_ = torch::Tensor(); }

  // Puts the batch norm into evaluation mode: its statistics stay as they are.
  void freeze() { norm_->eval(); }

 private:
  ConvShape shape_;
  torch::nn::Conv2d conv_;
  torch::nn::BatchNorm2d norm_;
  torch::Tensor folded_weight_, folded_bias_;  // defined where folded
};

}  // namespace dualdepth
