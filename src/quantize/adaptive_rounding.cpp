#include "dualdepth/quantize/adaptive_rounding.h"

#include <algorithm>
#include <cmath>

#include "dualdepth/quantize/weight_grid.h"

namespace dualdepth::quantize {
namespace {

constexpr double kDamping = 0.01;
constexpr int64_t kBlock = 128;  // columns whose errors are spread inside it first

// One filter's columns begin .. end - 1; `errors` [end - begin] receives what is to be spread.
void round_block(float* weight, const float* factor, int64_t stride, int64_t begin, int64_t end,
                 float scale, float* errors) {
  const auto limit = static_cast<float>(greatest_weight_code(8));
  for (int64_t j = begin; j < end; ++j) {
    const float* row = factor + j * stride;
    const float rounded = std::clamp(std::nearbyint(weight[j] / scale), -limit, limit) * scale;
    const float error = (weight[j] - rounded) / row[j];
    weight[j] = rounded;
    errors[j - begin] = error;
    for (int64_t k = j + 1; k < end; ++k) weight[k] -= error * row[k];
  }
}

}  // namespace

AdaptiveRounding::AdaptiveRounding(const torch::Tensor& inputs)
    : inputs_(inputs - inputs.mean(0, /*keepdim=*/true)) {
  auto second = inputs_.t().matmul(inputs_).div_(static_cast<double>(inputs.size(0)));
  const double mean = second.diagonal().mean().item<double>();
  second.diagonal().add_(std::max(kDamping * mean, 1e-12));
  inverse_ = torch::cholesky_inverse(torch::linalg_cholesky(second));
  factor_ = torch::linalg_cholesky(inverse_, /*upper=*/true).contiguous();
}

torch::Tensor AdaptiveRounding::round(const torch::Tensor& weight,
                                      const torch::Tensor& scale) const {
  auto rest = weight.clone().contiguous();
  const int64_t filters = rest.size(0);
  const int64_t columns = rest.size(1);
  const auto steps = scale.expand({filters}).contiguous();
  for (int64_t begin = 0; begin < columns; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, columns);
    auto errors = torch::empty({filters, end - begin});
    for (int64_t o = 0; o < filters; ++o) {
      round_block(rest.mutable_data_ptr<float>() + o * columns, factor_.const_data_ptr<float>(),
                  columns, begin, end, steps.const_data_ptr<float>()[o],
                  errors.mutable_data_ptr<float>() + o * (end - begin));
    }
    if (end == columns) break;
    rest.slice(1, end).sub_(errors.matmul(factor_.slice(0, begin, end).slice(1, end)));
  }
  return rest;
}

torch::Tensor AdaptiveRounding::refit(const torch::Tensor& weight,
                                      const torch::Tensor& targets) const {
  const auto missing = targets - inputs_.matmul(weight.t());
  const auto centred = missing - missing.mean(0, /*keepdim=*/true);
  const auto pull = centred.t().matmul(inputs_).div_(static_cast<double>(inputs_.size(0)));
  return weight + pull.matmul(inverse_);
}

}  // namespace dualdepth::quantize
