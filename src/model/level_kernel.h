#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dualdepth {

// The transformed filters of one 3x3 head of K channels ("levels") over C channels.
struct LevelFilters {
  const float* transform;  // [K' / group][kLevelPoints][C][group]: see kLevelFilterTransform
  const float* bias;       // [K'], -infinity behind the K levels
  int64_t channels;        // C
  int64_t padded_levels;   // K': K filled up to a multiple of level_group()
};

// A head whose greatest logit wins.
struct LevelKernel {
  LevelFilters filters;
  const float* weight;   // [K' / group][3][3][C][group]
  float rounding_size;   // level_rounding_size() of the filters
  float clipping_value;  // a winning logit up to here makes the level 0 (see LevelHead)
};

// One picture's map, [height, width, C].
struct LevelMap {
  const float* values;
  int64_t height, width;
};

// Minimal filtering F(4x4, 3x3) (Winograd; Lavin and Gray, Fast Algorithms for Convolutional Neural
// Networks, 2016): 4x4 neighbouring pixels y of a filter g over 6x6 d are
//
//   y = A^T [(G g G^T) * (B^T d B)] A
//
// with 36 products in place of 144. Rows of G for the points 0, 1, -1, 2, -2 and infinity:
inline constexpr int64_t kLevelLine = 6;  // points along a side
inline constexpr int64_t kLevelPoints = kLevelLine * kLevelLine;
inline constexpr float kLevelFilterTransform[kLevelLine][3] = {{1.F / 4, 0, 0},
                                                               {-1.F / 6, -1.F / 6, -1.F / 6},
                                                               {-1.F / 6, 1.F / 6, -1.F / 6},
                                                               {1.F / 24, 1.F / 12, 1.F / 6},
                                                               {1.F / 24, -1.F / 12, 1.F / 6},
                                                               {0, 0, 1}};
// How far the rows of B^T can raise an input of at most 1 (the sums of their absolute entries), and
// how much of a point reaches an output at most (the greatest absolute entry of its column of A^T).
inline constexpr float kLevelInputGain[kLevelLine] = {10, 10, 10, 6, 6, 10};
inline constexpr float kLevelOutputGain[kLevelLine] = {1, 1, 1, 8, 8, 1};

// Memory of the transformed products, sized by the functions below.
struct PatchWorkspace {
  std::vector<float> zeros, inputs, products, rows;
};

struct LevelWorkspace {
  PatchWorkspace patches;
  std::vector<float> best, second;
  std::vector<int32_t> index;
};

// Levels that a register tile holds on this CPU.
int64_t level_group();

// The winning levels of the lines begin .. end - 1; levels: [end - begin, width]. Where the two
// best logits of the transformed sums are so close that rounding might have ordered them, the pixel
// is summed again directly.
void level_lines(const LevelKernel& kernel, const LevelMap& map, int64_t begin, int64_t end,
                 LevelWorkspace& workspace, int64_t* levels);

struct DistributionWorkspace {
  PatchWorkspace patches;
  std::vector<float> logits;
};

// The distribution p = softmax(logits) of each pixel of the lines begin .. end - 1, read in one of
// two ways. Lines of weights have K' numbers, those behind the K levels finite.
//
// sum_k p_k first_k and sum_k p_k second_k; both results: [end - begin, width].
struct LevelMeans {
  const float *first_weights, *second_weights;
  float *first, *second;
};
void mean_lines(const LevelFilters& filters, const LevelMap& map, int64_t begin, int64_t end,
                DistributionWorkspace& workspace, const LevelMeans& means);

// The first level with p_0 + ... + p_k >= 1/2; levels: [end - begin, width].
void median_lines(const LevelFilters& filters, const LevelMap& map, int64_t begin, int64_t end,
                  DistributionWorkspace& workspace, int64_t* levels);

struct ThresholdWorkspace {
  PatchWorkspace patches;
  std::vector<float> sums;
};

// sum_k clip(logit_k, 0, 1) of each pixel of the lines begin .. end - 1; sums: [end - begin,
// width].
void threshold_lines(const LevelFilters& filters, const LevelMap& map, int64_t begin, int64_t end,
                     ThresholdWorkspace& workspace, float* sums);

}  // namespace dualdepth
