#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dualdepth {

// The order of one epoch: every index in [0, size) once. Shuffled it is a function of (seed, epoch)
// alone (Fisher-Yates); otherwise ascending. A position in it (a batch number) is all that a
// checkpoint needs.
std::vector<size_t> epoch_order(size_t size, bool shuffled, uint64_t seed, int64_t epoch);

}  // namespace dualdepth
