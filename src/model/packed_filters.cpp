#include "packed_filters.h"

#include <limits>

namespace dualdepth {
namespace {

int64_t padded(int64_t levels) {
  const int64_t group = level_group();
  return (levels + group - 1) / group * group;
}

// G g G^T: [K, 3, 3, C] to [K, kLevelPoints, C].
torch::Tensor transform(const torch::Tensor& taps) {
  const auto matrix =
      torch::from_blob(const_cast<float*>(&kLevelFilterTransform[0][0]), {kLevelLine, 3});
  return torch::einsum("pi,qj,kijc->kpqc", {matrix, matrix, taps}).flatten(1, 2);
}

}  // namespace

torch::Tensor pack_filters(const torch::Tensor& taps) {
  const int64_t group = level_group();
  const int64_t padded_levels = padded(taps.size(0));
  auto rows = torch::zeros({padded_levels, taps.size(1) * taps.size(2)});
  rows.slice(0, 0, taps.size(0)).copy_(taps.flatten(1));
  return rows.view({padded_levels / group, group, -1}).transpose(1, 2).contiguous();
}

float level_rounding_size(const torch::Tensor& weight) {
  const auto line = [](const float* gains) {
    return torch::from_blob(const_cast<float*>(gains), {kLevelLine});
  };
  const auto gain = line(kLevelInputGain) * line(kLevelOutputGain);
  const auto sizes =
      transform(weight.permute({0, 2, 3, 1})) * torch::outer(gain, gain).flatten().unsqueeze(1);
  return sizes.flatten(1).norm(2, 1).max().item<float>();
}

TransformedFilters::TransformedFilters(const torch::Tensor& weight, const torch::Tensor& bias) {
  TORCH_CHECK(weight.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3 &&
                  bias.numel() == weight.size(0),
              "a head's kernel: 3x3 filters and a bias for each");
  channels_ = weight.size(1);
  transform_ = pack_filters(transform(weight.permute({0, 2, 3, 1})));
  bias_ = torch::full({padded(weight.size(0))}, -std::numeric_limits<float>::infinity());
  bias_.slice(0, 0, bias.size(0)).copy_(bias);
}

LevelFilters TransformedFilters::view() const {
  return {.transform = transform_.const_data_ptr<float>(),
          .bias = bias_.const_data_ptr<float>(),
          .channels = channels_,
          .padded_levels = bias_.size(0)};
}

}  // namespace dualdepth
