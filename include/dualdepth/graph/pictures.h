#pragma once

#include <torch/types.h>

#include <cstddef>
#include <functional>

namespace dualdepth::graph {

// Pictures as a network's input takes them. `at` may be called from several threads at once and
// returns float [1, 3, H, W], RGB in 0..1.
struct Pictures {
  size_t count = 0;
  std::function<torch::Tensor(size_t index)> at;

  // Returns `most` of them, evenly spread; all when there are no more.
  Pictures spread(size_t most) const;
};

}  // namespace dualdepth::graph
