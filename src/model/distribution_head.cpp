#include "dualdepth/model/distribution_head.h"

#include <vector>

#include "fraction_filter.h"
#include "head_lines.h"
#include "packed_filters.h"

namespace dualdepth {
namespace {

void check_channels(const torch::Tensor& feature, const TransformedFilters& filters) {
  TORCH_CHECK(feature.dim() == 4 && feature.size(1) == filters.channels(),
              "DistributionHead: a map of as many channels as the filters have");
}

// A number for each channel of the kernel, 0 behind the levels.
std::vector<float> padded(const torch::Tensor& numbers, int64_t channels) {
  const auto values = numbers.to(torch::kFloat32).contiguous();
  const auto* first = values.const_data_ptr<float>();
  std::vector<float> all(first, first + values.numel());
  all.resize(static_cast<size_t>(channels), 0.F);
  return all;
}

}  // namespace

DistributionHead::DistributionHead(const HeadFilters& filters)
    : levels_(filters.integer_bias.size(0)) {
  const torch::NoGradGuard no_grad;
  filters_ = std::make_shared<TransformedFilters>(filters.integer_weight, filters.integer_bias);
  fraction_ = std::make_shared<FractionFilter>(filters);
}

MeanHeads DistributionHead::mean(const torch::Tensor& feature, const LevelPlaces& places,
                                 int threads) const {
  check_channels(feature, *filters_);
  const torch::NoGradGuard no_grad;
  const LevelFilters filters = filters_->view();
  const auto start = padded(places.start, filters.padded_levels);
  const auto slope = padded(places.slope, filters.padded_levels);
  const std::vector<int64_t> shape{feature.size(0), feature.size(2), feature.size(3)};
  MeanHeads heads{torch::empty(shape), torch::empty(shape), fraction_->empty_logits(shape)};
  auto* starts = heads.start.mutable_data_ptr<float>();
  auto* slopes = heads.slope.mutable_data_ptr<float>();
  for_each_head_block(feature, threads,
                      [&](const LevelMap& map, int64_t begin, int64_t end, int64_t first) {
                        static thread_local DistributionWorkspace workspace;
                        mean_lines(filters, map, begin, end, workspace,
                                   {start.data(), slope.data(), starts + first, slopes + first});
                        fraction_->write_lines(map, begin, end, heads.fraction_logits, first);
                      });
  return heads;
}

WinningHeads DistributionHead::median(const torch::Tensor& feature, int threads) const {
  check_channels(feature, *filters_);
  const torch::NoGradGuard no_grad;
  const LevelFilters filters = filters_->view();
  const std::vector<int64_t> shape{feature.size(0), feature.size(2), feature.size(3)};
  WinningHeads heads{torch::empty(shape, torch::kInt64), fraction_->empty_logits(shape)};
  auto* levels = heads.level.mutable_data_ptr<int64_t>();
  for_each_head_block(feature, threads,
                      [&](const LevelMap& map, int64_t begin, int64_t end, int64_t first) {
                        static thread_local DistributionWorkspace workspace;
                        median_lines(filters, map, begin, end, workspace, levels + first);
                        fraction_->write_lines(map, begin, end, heads.fraction_logits, first);
                      });
  // The kernel's levels go on behind the last one; only rounding can lead there.
  heads.level.clamp_max_(levels_ - 1);
  return heads;
}

}  // namespace dualdepth
