#include "dualdepth/model/level_head.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "dualdepth/base/parallel.h"
#include "level_kernel.h"

namespace dualdepth {
namespace {

constexpr int64_t kLinesAtOnce = 8;

// [K', 9 C] by groups of levels: within a group level is the fastest index, so that one vector of
// levels is read for each tap and channel.
torch::Tensor pack_weight(const torch::Tensor& weight, int64_t padded_levels, int64_t group) {
  auto rows = torch::zeros({padded_levels, 9 * weight.size(1)});
  rows.slice(0, 0, weight.size(0)).copy_(weight.permute({0, 2, 3, 1}).flatten(1));
  return rows.view({padded_levels / group, group, -1}).transpose(1, 2).contiguous();
}

torch::Tensor pack_bias(const torch::Tensor& bias, int64_t padded_levels) {
  auto packed = torch::full({padded_levels}, -std::numeric_limits<float>::infinity());
  packed.slice(0, 0, bias.size(0)).copy_(bias);
  return packed;
}

// [N, h + 2, w + 2, C] with a border of zeros.
torch::Tensor pad(const torch::Tensor& feature) {
  const auto rows = feature.permute({0, 2, 3, 1});
  auto padded = torch::zeros({rows.size(0), rows.size(1) + 2, rows.size(2) + 2, rows.size(3)});
  padded.slice(1, 1, rows.size(1) + 1).slice(2, 1, rows.size(2) + 1).copy_(rows);
  return padded;
}

}  // namespace

torch::Tensor winning_levels(const torch::Tensor& feature, const torch::Tensor& weight,
                             const torch::Tensor& bias, int threads) {
  TORCH_CHECK(weight.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3 &&
                  weight.size(1) == feature.size(1) && bias.numel() == weight.size(0),
              "winning_levels: a head of 3x3 filters over the feature's channels");
  const torch::NoGradGuard no_grad;
  const int64_t group = level_group();
  const int64_t padded_levels = (weight.size(0) + group - 1) / group * group;
  const auto packed_weight = pack_weight(weight, padded_levels, group);
  const auto packed_bias = pack_bias(bias, padded_levels);
  const auto padded = pad(feature);
  const int64_t height = feature.size(2);
  const int64_t width = feature.size(3);
  const LevelKernel kernel{.weight = packed_weight.const_data_ptr<float>(),
                           .bias = packed_bias.const_data_ptr<float>(),
                           .channels = feature.size(1),
                           .padded_levels = padded_levels,
                           .width = width};
  auto levels = torch::empty({feature.size(0), height, width}, torch::kInt64);
  const auto* in = padded.const_data_ptr<float>();
  auto* out = levels.mutable_data_ptr<int64_t>();
  const int64_t pitch = (width + 2) * feature.size(1);
  const int64_t lines = feature.size(0) * height;
  const auto blocks = static_cast<size_t>((lines + kLinesAtOnce - 1) / kLinesAtOnce);
  parallel_for(blocks, threads > 0 ? threads : at::get_num_threads(), [&](size_t block) {
    std::vector<float> best(kLevelWorkspace * width);
    std::vector<int32_t> index(kLevelWorkspace * width);
    const int64_t begin = static_cast<int64_t>(block) * kLinesAtOnce;
    for (int64_t line = begin; line < std::min(begin + kLinesAtOnce, lines); ++line) {
      const float* first = in + (line / height * (height + 2) + line % height) * pitch;
      const float* const rows[3] = {first, first + pitch, first + 2 * pitch};
      level_row(kernel, rows, best.data(), index.data(), out + line * width);
    }
  });
  return levels;
}

}  // namespace dualdepth
