#pragma once

#include <torch/types.h>

#include "level_kernel.h"
#include "line_blocks.h"

namespace dualdepth {

// Calls work(map, begin, end, first) for blocks of lines of all pictures, see for_each_line_block;
// first: the number of the block's first pixel among all. feature: float32 [N, C, h, w].
template <class Work>
void for_each_head_block(const torch::Tensor& feature, int threads, const Work& work) {
  const int64_t channels = feature.size(1);
  const int64_t height = feature.size(2);
  const int64_t width = feature.size(3);
  const auto rows = feature.permute({0, 2, 3, 1}).contiguous();
  const auto* in = rows.const_data_ptr<float>();
  for_each_line_block(feature.size(0), height, threads, [&](const LineBlock& block) {
    const LevelMap map{in + block.picture * height * width * channels, height, width};
    work(map, block.begin, block.end, (block.picture * height + block.begin) * width);
  });
}

}  // namespace dualdepth
