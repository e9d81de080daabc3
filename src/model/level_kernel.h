#pragma once

#include <cstddef>
#include <cstdint>

namespace dualdepth {

// One 3x3 head of K levels over C channels, and where its rows lie.
struct LevelKernel {
  const float* weight;    // [K' / group][3][3][C][group]
  const float* bias;      // [K'], -infinity behind the K levels
  int64_t channels;       // C
  int64_t padded_levels;  // K': K filled up to a multiple of level_group()
  int64_t width;          // w
};

// Levels that a register tile holds on this CPU.
int64_t level_group();

// rows: the lines y-1, y, y+1 of the padded map, each [(w + 2) C]. levels: [w].
// best and index are workspace of kLevelWorkspace * w numbers each.
void level_row(const LevelKernel& kernel, const float* const rows[3], float* best, int32_t* index,
               int64_t* levels);

inline constexpr int64_t kLevelWorkspace = 64;  // at least the lanes of any vector

}  // namespace dualdepth
