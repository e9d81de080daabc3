#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>

#include "dualdepth/base/parallel.h"

namespace dualdepth {

// Some lines of one picture.
struct LineBlock {
  int64_t picture, begin, end;
};

// Calls work(block) for all lines of all pictures, 16 at a time. threads: so many of its own, for
// callers whose threads are not LibTorch's; 0: LibTorch's, which would otherwise spin for a while
// beside them.
template <class Work>
void for_each_line_block(int64_t pictures, int64_t height, int threads, const Work& work) {
  constexpr int64_t kLines = 16;
  const int64_t blocks = (height + kLines - 1) / kLines;  // of a picture
  const auto run = [&](int64_t job) {
    const int64_t begin = job % blocks * kLines;
    work(LineBlock{job / blocks, begin, std::min(begin + kLines, height)});
  };
  if (threads > 0) {
    parallel_for(static_cast<size_t>(pictures * blocks), threads,
                 [&](size_t job) { run(static_cast<int64_t>(job)); });
    return;
  }
  at::parallel_for(0, pictures * blocks, /*grain_size=*/1, [&](int64_t first, int64_t end) {
    for (int64_t job = first; job < end; ++job) run(job);
  });
}

}  // namespace dualdepth
