#include "dualdepth/model/level_head.h"

#include <vector>

#include "fraction_filter.h"
#include "head_lines.h"
#include "packed_filters.h"

namespace dualdepth {

LevelHead::LevelHead(const HeadFilters& filters, float clipping_value)
    : channels_(filters.integer_weight.size(1)), clipping_value_(clipping_value) {
  const auto& weight = filters.integer_weight;
  const torch::NoGradGuard no_grad;
  filters_ = std::make_shared<TransformedFilters>(weight, filters.integer_bias);
  fraction_ = std::make_shared<FractionFilter>(filters);
  weight_ = pack_filters(weight.permute({0, 2, 3, 1}).flatten(1, 2));
  rounding_size_ = level_rounding_size(weight);
}

WinningHeads LevelHead::operator()(const torch::Tensor& feature, int threads) const {
  TORCH_CHECK(feature.dim() == 4 && feature.size(1) == channels_,
              "LevelHead: a map of as many channels as the filters have");
  const torch::NoGradGuard no_grad;
  const LevelKernel kernel{.filters = filters_->view(),
                           .weight = weight_.const_data_ptr<float>(),
                           .rounding_size = rounding_size_,
                           .clipping_value = clipping_value_};
  const std::vector<int64_t> shape{feature.size(0), feature.size(2), feature.size(3)};
  WinningHeads heads{torch::empty(shape, torch::kInt64), fraction_->empty_logits(shape)};
  auto* levels = heads.level.mutable_data_ptr<int64_t>();
  for_each_head_block(feature, threads,
                      [&](const LevelMap& map, int64_t begin, int64_t end, int64_t first) {
                        static thread_local LevelWorkspace workspace;
                        level_lines(kernel, map, begin, end, workspace, levels + first);
                        fraction_->write_lines(map, begin, end, heads.fraction_logits, first);
                      });
  return heads;
}

torch::Tensor winning_levels(const torch::Tensor& feature, const torch::Tensor& weight,
                             const torch::Tensor& bias) {
  return LevelHead({weight, bias, {}, {}})(feature).level;
}

}  // namespace dualdepth
