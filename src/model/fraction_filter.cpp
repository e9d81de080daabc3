#include "fraction_filter.h"

namespace dualdepth {

FractionFilter::FractionFilter(const HeadFilters& filters) {
  if (!filters.fraction_weight.defined()) return;
  const int64_t channels = filters.integer_weight.size(1);
  TORCH_CHECK(filters.fraction_weight.sizes() == torch::IntArrayRef({1, channels, 3, 3}),
              "one 3x3 filter of the fraction, of as many channels as the other head's");
  weight_ = filters.fraction_weight[0].permute({1, 2, 0}).contiguous();
  bias_ = filters.fraction_bias.item<float>();
}

torch::Tensor FractionFilter::empty_logits(torch::IntArrayRef shape) const {
  return weight_.defined() ? torch::empty(shape) : torch::Tensor();
}

void FractionFilter::write_lines(const LevelMap& map, int64_t begin, int64_t end,
                                 const torch::Tensor& logits, int64_t first) const {
  if (!weight_.defined()) return;
  const FractionKernel kernel{weight_.const_data_ptr<float>(), bias_, weight_.size(2)};
  fraction_lines(kernel, map, begin, end, logits.mutable_data_ptr<float>() + first);
}

}  // namespace dualdepth
