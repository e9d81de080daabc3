#include "dualdepth/model/conv_batch_norm.h"

#include <torch/nn/init.h>

#include <cmath>

#include "module_path.h"

namespace dualdepth {
namespace {

torch::nn::Conv2dOptions options_of(const ConvShape& shape) {
  return torch::nn::Conv2dOptions(shape.in, shape.out, shape.kernel)
      .stride(shape.stride)
      .padding(shape.kernel / 2)
      .groups(shape.groups)
      .bias(false);
}

torch::nn::BatchNorm2dOptions options_of(const ConvShape& shape, const NormConstants& constants) {
  return torch::nn::BatchNorm2dOptions(shape.out).eps(constants.eps).momentum(constants.momentum);
}

}  // namespace

ConvBatchNorm::ConvBatchNorm(torch::nn::Module& parent, const std::string& conv,
                             const std::string& norm, const ConvShape& shape,
                             const NormConstants& constants)
    : shape_(shape),
      conv_(register_at(parent, conv, torch::nn::Conv2d(options_of(shape)))),
      norm_(register_at(parent, norm, torch::nn::BatchNorm2d(options_of(shape, constants)))) {}

torch::Tensor ConvBatchNorm::operator()(const torch::Tensor& x) {
  if (!folded_weight_.defined()) return norm_(conv_(x));
  return torch::conv2d(x, folded_weight_, folded_bias_, shape_.stride, shape_.kernel / 2,
                       /*dilation=*/1, shape_.groups);
}

void ConvBatchNorm::reset_filters() {
  const torch::NoGradGuard no_grad;
  torch::nn::init::kaiming_normal_(conv_->weight, /*a=*/0, torch::kFanOut, torch::kReLU);
  // LibTorch counts the outputs of all groups.
  if (shape_.groups > 1) conv_->weight.mul_(std::sqrt(static_cast<double>(shape_.groups)));
}

void ConvBatchNorm::fold() {
  const torch::NoGradGuard no_grad;
  const auto scale = norm_->weight * (norm_->running_var + norm_->options.eps()).rsqrt();
  folded_weight_ = conv_->weight * scale.view({-1, 1, 1, 1});
  folded_bias_ = norm_->bias - norm_->running_mean * scale;
}

}  // namespace dualdepth
