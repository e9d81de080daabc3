#include "dualdepth/model/integer_level_head.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "integer_level_kernel.h"
#include "line_blocks.h"

namespace dualdepth {
namespace {

constexpr int64_t kQuad = 4;  // channels of one dot product

int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// [K, C, 3, 3] to [K' / group][3][3][C' / 4][group][4].
torch::Tensor pack(const torch::Tensor& steps, int64_t levels, int64_t channels, int64_t group) {
  auto padded = torch::zeros({levels, 3, 3, channels});
  padded.slice(0, 0, steps.size(0)).slice(3, 0, steps.size(1)).copy_(steps.permute({0, 2, 3, 1}));
  return padded.view({levels / group, group, 9, channels / kQuad, kQuad})
      .permute({0, 2, 3, 1, 4})
      .to(torch::kInt8)
      .contiguous();
}

torch::Tensor padded_to(const torch::Tensor& values, int64_t size, double fill) {
  auto padded = torch::full({size}, fill, torch::kFloat32);
  padded.slice(0, 0, values.size(0)).copy_(values);
  return padded;
}

}  // namespace

bool IntegerLevelHead::is_supported() { return integer_level_group() > 0; }

IntegerLevelHead::IntegerLevelHead(const torch::Tensor& weight, const torch::Tensor& bias,
                                   const IntegerHeadGrids& grids)
    : channels_(weight.size(1)),
      padded_channels_(round_up(weight.size(1), kQuad)),
      zero_point_(grids.zero_point),
      clipping_value_(grids.clipping_value) {
  TORCH_CHECK(is_supported(), "IntegerLevelHead: a CPU with AVX-512 VNNI");
  TORCH_CHECK(weight.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3 &&
                  bias.numel() == weight.size(0),
              "IntegerLevelHead: 3x3 filters and a bias for each");
  const torch::NoGradGuard no_grad;
  const int64_t levels = weight.size(0);
  const int64_t group = integer_level_group();
  const int64_t padded = round_up(levels, group);
  const auto step = grids.weight_scale.expand({levels}).contiguous();
  const auto filters = (weight / step.view({-1, 1, 1, 1})).round_();
  const auto scale = step * grids.input_scale;
  // sum w (q - z) = sum w q - z sum w
  const auto shift = filters.to(torch::kFloat64).sum({1, 2, 3}) * static_cast<double>(zero_point_);
  weight_ = pack(filters, padded, padded_channels_, group);
  scale_ = padded_to(scale, padded, 0);
  bias_ =
      padded_to((bias.to(torch::kFloat64) - shift * scale.to(torch::kFloat64)).to(torch::kFloat32),
                padded, -std::numeric_limits<float>::infinity());
}

torch::Tensor IntegerLevelHead::operator()(const torch::Tensor& steps, int threads) const {
  TORCH_CHECK(steps.dim() == 4 && steps.size(1) == channels_ && steps.dtype() == torch::kUInt8,
              "IntegerLevelHead: a map of uint8 with as many channels as the filters have");
  const torch::NoGradGuard no_grad;
  const IntegerLevelKernel kernel{.weight = weight_.const_data_ptr<int8_t>(),
                                  .scale = scale_.const_data_ptr<float>(),
                                  .bias = bias_.const_data_ptr<float>(),
                                  .channels = padded_channels_,
                                  .padded_levels = bias_.size(0),
                                  .clipping_value = clipping_value_};
  const int64_t count = steps.size(0);
  const int64_t height = steps.size(2);
  const int64_t width = steps.size(3);
  const auto rows = steps.permute({0, 2, 3, 1}).contiguous();
  const int64_t line = (width + 2) * padded_channels_;
  auto levels = torch::empty({count, height, width}, torch::kInt64);
  const auto* in = rows.const_data_ptr<uint8_t>();
  auto* out = levels.mutable_data_ptr<int64_t>();
  for_each_line_block(count, height, threads, [&](const LineBlock& block) {
    static thread_local IntegerLevelWorkspace workspace;
    static thread_local std::vector<uint8_t> padded;
    const auto [picture, begin, end] = block;
    padded.assign(static_cast<size_t>((end - begin + 2) * line), static_cast<uint8_t>(zero_point_));
    for (int64_t y = std::max<int64_t>(begin - 1, 0); y < std::min(end + 1, height); ++y) {
      const uint8_t* from = in + (picture * height + y) * width * channels_;
      uint8_t* to = padded.data() + (y - begin + 1) * line + padded_channels_;
      if (channels_ == padded_channels_) {
        std::copy_n(from, width * channels_, to);
        continue;
      }
      for (int64_t x = 0; x < width; ++x, from += channels_, to += padded_channels_) {
        std::copy_n(from, channels_, to);
      }
    }
    integer_level_lines(kernel, padded.data(), width, end - begin, workspace,
                        out + (picture * height + begin) * width);
  });
  return levels;
}

}  // namespace dualdepth
