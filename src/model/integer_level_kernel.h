#pragma once

#include <cstdint>
#include <vector>

namespace dualdepth {

// One 3x3 head of K levels over C channels in whole numbers. With q the steps of the input (0..255)
// and w the filters' (-127..127), level k has the logit
//
//   scale[k] * sum w[k] q + bias[k]
//
// where scale and bias hold the steps' sizes and the input's zero point.
struct IntegerLevelKernel {
  const int8_t* weight;   // [K' / group][3][3][C / 4][group][4]
  const float* scale;     // [K']
  const float* bias;      // [K'], -infinity behind the K levels
  int64_t channels;       // C, a multiple of 4
  int64_t padded_levels;  // K': K filled up to a multiple of integer_level_group()
  float clipping_value;   // a winning logit up to here makes the level 0 (see LevelHead)
};

// Levels that a register tile holds; 0 on a CPU without 8-bit dot products (AVX-512 VNNI).
int64_t integer_level_group();

// Memory that integer_level_lines() sizes itself.
struct IntegerLevelWorkspace {
  std::vector<float> best;
  std::vector<int32_t> index;
};

// The winning levels, of equal logits the first: [lines, width]. steps: [lines + 2, width + 2, C],
// the zero point where they lie outside the map. Not to be called where integer_level_group() is 0.
void integer_level_lines(const IntegerLevelKernel& kernel, const uint8_t* steps, int64_t width,
                         int64_t lines, IntegerLevelWorkspace& workspace, int64_t* levels);

}  // namespace dualdepth
