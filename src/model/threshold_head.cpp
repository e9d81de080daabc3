#include "dualdepth/model/threshold_head.h"

#include "head_lines.h"
#include "packed_filters.h"

namespace dualdepth {

ThresholdHead::ThresholdHead(const HeadFilters& filters) {
  const torch::NoGradGuard no_grad;
  filters_ = std::make_shared<TransformedFilters>(filters.integer_weight, filters.integer_bias);
}

torch::Tensor ThresholdHead::operator()(const torch::Tensor& feature, int threads) const {
  TORCH_CHECK(feature.dim() == 4 && feature.size(1) == filters_->channels(),
              "ThresholdHead: a map of as many channels as the filters have");
  const torch::NoGradGuard no_grad;
  const LevelFilters filters = filters_->view();
  auto sums = torch::empty({feature.size(0), feature.size(2), feature.size(3)});
  auto* out = sums.mutable_data_ptr<float>();
  for_each_head_block(feature, threads,
                      [&](const LevelMap& map, int64_t begin, int64_t end, int64_t first) {
                        static thread_local ThresholdWorkspace workspace;
                        threshold_lines(filters, map, begin, end, workspace, out + first);
                      });
  return sums;
}

}  // namespace dualdepth
