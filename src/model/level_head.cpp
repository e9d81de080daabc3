#include "dualdepth/model/level_head.h"

#include "fraction_kernel.h"
#include "level_kernel.h"
#include "line_blocks.h"
#include "packed_filters.h"

namespace dualdepth {
LevelHead::LevelHead(const HeadFilters& filters, float clipping_value)
    : channels_(filters.integer_weight.size(1)), clipping_value_(clipping_value) {
  const auto& weight = filters.integer_weight;
  const torch::NoGradGuard no_grad;
  filters_ = std::make_shared<TransformedFilters>(weight, filters.integer_bias);
  weight_ = pack_filters(weight.permute({0, 2, 3, 1}).flatten(1, 2));
  rounding_size_ = level_rounding_size(weight);
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
  const LevelKernel kernel{.filters = filters_->view(),
                           .weight = weight_.const_data_ptr<float>(),
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
