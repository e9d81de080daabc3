#pragma once

#include <cstddef>
#include <vector>

namespace dualdepth {

// `count` of the indices 0 .. size - 1, spread evenly: i * size / count; all of them when there are
// no more.
std::vector<size_t> spread_indices(size_t size, size_t count);

}  // namespace dualdepth
