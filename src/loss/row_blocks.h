#pragma once

#include <ATen/Parallel.h>
#include <torch/types.h>

#include <algorithm>
#include <cstdint>

namespace dualdepth {

// Calls work(first row, rows) for all rows of a [P, K] tensor, by blocks on all cores; on a GPU
// once for all. 128 rows of 256 floats are 128 kB: logits, what is computed of them and one
// temporary fit a core's L2 cache.
template <class Work>
void for_each_row_block(const torch::Tensor& rows, const Work& work) {
  constexpr int64_t kRowsPerBlock = 128;
  const int64_t count = rows.size(0);
  if (!rows.is_cpu()) return work(0, count);
  const int64_t blocks = (count + kRowsPerBlock - 1) / kRowsPerBlock;
  at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
    const at::NoGradGuard no_grad;  // of this thread
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block * kRowsPerBlock;
      work(first, std::min(kRowsPerBlock, count - first));
    }
  });
}

}  // namespace dualdepth
