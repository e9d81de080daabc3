#include "dualdepth/base/spread.h"

#include <algorithm>

namespace dualdepth {

std::vector<size_t> spread_indices(size_t size, size_t count) {
  count = std::min(size, count);
  std::vector<size_t> indices(count);
  for (size_t i = 0; i < count; ++i) indices[i] = i * size / count;
  return indices;
}

}  // namespace dualdepth
