#include "dualdepth/data/sampler.h"

#include <numeric>
#include <utility>

#include "dualdepth/base/random.h"

namespace dualdepth {

std::vector<size_t> epoch_order(size_t size, bool shuffled, uint64_t seed, int64_t epoch) {
  std::vector<size_t> order(size);
  std::iota(order.begin(), order.end(), size_t{0});
  if (!shuffled) return order;
  RandomStream stream({seed, static_cast<uint64_t>(epoch)});
  for (size_t left = size; left > 1; --left) std::swap(order[left - 1], order[stream.below(left)]);
  return order;
}

}  // namespace dualdepth
