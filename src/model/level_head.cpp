#include "dualdepth/model/level_head.h"

#include <limits>

#include "fraction_kernel.h"
#include "level_kernel.h"
#include "line_blocks.h"

namespace dualdepth {
namespace {

// [K, taps, C] as [K' / group][taps][C][group]: one vector of levels is read for each tap and
// channel.
torch::Tensor pack(const torch::Tensor& weight, int64_t padded_levels, int64_t group) {
  auto rows = torch::zeros({padded_levels, weight.size(1) * weight.size(2)});
  rows.slice(0, 0, weight.size(0)).copy_(weight.flatten(1));
  return rows.view({padded_levels / group, group, -1}).transpose(1, 2).contiguous();
}

// G g G^T: [K, 3, 3, C] to [K, kLevelPoints, C].
torch::Tensor transform(const torch::Tensor& taps) {
  const auto matrix =
      torch::from_blob(const_cast<float*>(&kLevelFilterTransform[0][0]), {kLevelLine, 3});
  return torch::einsum("pi,qj,kijc->kpqc", {matrix, matrix, taps}).flatten(1, 2);
}

// What the rounding error of one level's transformed sums is proportional to: the root of the sum
// of squares of what each product can be and how much of it reaches an output. The greatest of all
// levels. transformed: [K, kLevelPoints, C].
float level_rounding_size(const torch::Tensor& transformed) {
  const auto line = [](const float* gains) {
    return torch::from_blob(const_cast<float*>(gains), {kLevelLine});
  };
  const auto gain = line(kLevelInputGain) * line(kLevelOutputGain);
  const auto sizes = transformed * torch::outer(gain, gain).flatten().unsqueeze(1);
  return sizes.flatten(1).norm(2, 1).max().item<float>();
}

torch::Tensor pack_bias(const torch::Tensor& bias, int64_t padded_levels) {
  auto packed = torch::full({padded_levels}, -std::numeric_limits<float>::infinity());
  packed.slice(0, 0, bias.size(0)).copy_(bias);
  return packed;
}

}  // namespace

LevelHead::LevelHead(const HeadFilters& filters, float clipping_value)
    : channels_(filters.integer_weight.size(1)), clipping_value_(clipping_value) {
  const auto& weight = filters.integer_weight;
  const auto& bias = filters.integer_bias;
  TORCH_CHECK(weight.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3 &&
                  bias.numel() == weight.size(0),
              "LevelHead: 3x3 filters and a bias for each");
  const torch::NoGradGuard no_grad;
  const int64_t group = level_group();
  const int64_t padded_levels = (weight.size(0) + group - 1) / group * group;
  const auto taps = weight.permute({0, 2, 3, 1});
  weight_ = pack(taps.flatten(1, 2), padded_levels, group);
  const auto transformed = transform(taps);
  transform_ = pack(transformed, padded_levels, group);
  bias_ = pack_bias(bias, padded_levels);
  rounding_size_ = level_rounding_size(transformed);
  if (!filters.fraction_weight.defined()) return;
  TORCH_CHECK(filters.fraction_weight.sizes() == torch::IntArrayRef({1, channels_, 3, 3}),
              "LevelHead: one 3x3 filter of the fraction, of as many channels");
  fraction_weight_ = filters.fraction_weight[0].permute({1, 2, 0}).contiguous();
  fraction_bias_ = filters.fraction_bias.item<float>();
}

WinningHeads LevelHead::operator()(const torch::Tensor& feature, int threads) const {
  TORCH_CHECK(feature.dim() == 4 && feature.size(1) == channels_,
              "LevelHead: a map of as many channels as the filters have");
  const torch::NoGradGuard no_grad;
  const bool has_fraction = fraction_weight_.defined();
  const LevelKernel kernel{.weight = weight_.const_data_ptr<float>(),
                           .transform = transform_.const_data_ptr<float>(),
                           .bias = bias_.const_data_ptr<float>(),
                           .channels = channels_,
                           .padded_levels = bias_.size(0),
                           .rounding_size = rounding_size_,
                           .clipping_value = clipping_value_};
  const FractionKernel fraction{
      .weight = has_fraction ? fraction_weight_.const_data_ptr<float>() : nullptr,
      .bias = fraction_bias_,
      .channels = channels_};
  const auto rows = feature.permute({0, 2, 3, 1}).contiguous();
  const int64_t height = feature.size(2);
  const int64_t width = feature.size(3);
  WinningHeads heads{torch::empty({feature.size(0), height, width}, torch::kInt64), {}};
  if (has_fraction) heads.fraction_logits = torch::empty(heads.level.sizes());
  const auto* in = rows.const_data_ptr<float>();
  auto* levels = heads.level.mutable_data_ptr<int64_t>();
  auto* fractions = has_fraction ? heads.fraction_logits.mutable_data_ptr<float>() : nullptr;
  for_each_line_block(feature.size(0), height, threads, [&](const LineBlock& block) {
    static thread_local LevelWorkspace workspace;
    const LevelMap map{in + block.picture * height * width * channels_, height, width};
    const int64_t first = (block.picture * height + block.begin) * width;
    level_lines(kernel, map, block.begin, block.end, workspace, levels + first);
    if (has_fraction) fraction_lines(fraction, map, block.begin, block.end, fractions + first);
  });
  return heads;
}

torch::Tensor winning_levels(const torch::Tensor& feature, const torch::Tensor& weight,
                             const torch::Tensor& bias) {
  return LevelHead({weight, bias, {}, {}})(feature).level;
}

}  // namespace dualdepth
