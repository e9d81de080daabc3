#include "dualdepth/model/threshold_head.h"

#include "level_kernel.h"
#include "line_blocks.h"
#include "packed_filters.h"

namespace dualdepth {

ThresholdHead::ThresholdHead(const HeadFilters& filters) {
  const torch::NoGradGuard no_grad;
  filters_ = std::make_shared<TransformedFilters>(filters.integer_weight, filters.integer_bias);
}

torch::Tensor ThresholdHead::operator()(const torch::Tensor& feature, int threads) const {
  const int64_t channels = filters_->channels();
  TORCH_CHECK(feature.dim() == 4 && feature.size(1) == channels,
              "ThresholdHead: a map of as many channels as the filters have");
  const torch::NoGradGuard no_grad;
  const LevelFilters filters = filters_->view();
  const auto rows = feature.permute({0, 2, 3, 1}).contiguous();
  const int64_t height = feature.size(2);
  const int64_t width = feature.size(3);
  auto sums = torch::empty({feature.size(0), height, width});
  const auto* in = rows.const_data_ptr<float>();
  auto* out = sums.mutable_data_ptr<float>();
  for_each_line_block(feature.size(0), height, threads, [&](const LineBlock& block) {
    static thread_local ThresholdWorkspace workspace;
    const LevelMap map{in + block.picture * height * width * channels, height, width};
    threshold_lines(filters, map, block.begin, block.end, workspace,
                    out + (block.picture * height + block.begin) * width);
  });
  return sums;
}

}  // namespace dualdepth
