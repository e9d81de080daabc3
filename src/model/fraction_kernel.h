#pragma once

#include <cstdint>

#include "level_kernel.h"

namespace dualdepth {

// A 3x3 head of a single channel over C. A convolution of one output fills a sixteenth of a vector
// register; here the register holds channels of the input.
struct FractionKernel {
  const float* weight;  // [3][3][C]
  float bias;
  int64_t channels;  // C
};

// The sums of the lines begin .. end - 1; out: [end - begin, width].
void fraction_lines(const FractionKernel& kernel, const LevelMap& map, int64_t begin, int64_t end,
                    float* out);

}  // namespace dualdepth
