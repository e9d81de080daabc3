#include "dualdepth/model/conv_batch_norm.h"

namespace dualdepth {
namespace {

torch::nn::Conv2dOptions options_of(const ConvShape& shape) {
  return torch::nn::Conv2dOptions(shape.in, shape.out, shape.kernel)
      .stride(shape.stride)
      .padding(shape.kernel / 2)
      .bias(false);
}

}  // namespace

ConvBatchNorm::ConvBatchNorm(torch::nn::Module& parent, const std::string& conv,
                             const std::string& norm, const ConvShape& shape)
    : stride_(shape.stride),
      padding_(shape.kernel / 2),
      conv_(parent.register_module(conv, torch::nn::Conv2d(options_of(shape)))),
      norm_(parent.register_module(norm, torch::nn::BatchNorm2d(shape.out))) {}

torch::Tensor ConvBatchNorm::operator()(const torch::Tensor& x) {
  if (!folded_weight_.defined()) return norm_(conv_(x));
  return torch::conv2d(x, folded_weight_, folded_bias_, stride_, padding_);
}

void ConvBatchNorm::fold() {
  const torch::NoGradGuard no_grad;
  const auto scale = norm_->weight * (norm_->running_var + norm_->options.eps()).rsqrt();
  folded_weight_ = conv_->weight * scale.view({-1, 1, 1, 1});
  folded_bias_ = norm_->bias - norm_->running_mean * scale;
}

}  // namespace dualdepth
