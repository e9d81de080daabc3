#include "integer_level_kernel.h"

#include <limits>

// Highway 1.0 has no 8-bit dot product, so these are the processor's own instructions, asked for at
// run time.
#ifdef __x86_64__
#include <hwy/targets.h>
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#ifdef __clang__
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
// GCC 12 takes the undefined vectors of its own intrinsics for ours (its bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace dualdepth {
namespace {

constexpr int kVectors = 4;  // of levels in a register tile
constexpr int kPixels = 6;   // of it: 24 accumulators beside the weights
constexpr int64_t kLanes = 16;
constexpr int64_t kGroup = kVectors * kLanes;

#define DUALDEPTH_INLINE inline __attribute__((always_inline))

// Four channels of a pixel for all lanes.
DUALDEPTH_INLINE __m512i broadcast(const uint8_t* quad) {
  int32_t bits = 0;
  std::memcpy(&bits, quad, sizeof(bits));
  return _mm512_set1_epi32(bits);
}

// sum + the products of four neighbours in each lane. GCC 12 copies its accumulators around the
// intrinsic, which takes twice the time.
DUALDEPTH_INLINE __m512i dot(__m512i sum, __m512i steps, __m512i weight) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(steps), "v"(weight));
  return sum;
}

// Sums of kCount neighbouring pixels for one group of levels.
template <int kCount>
DUALDEPTH_INLINE void multiply(const int8_t* weight, const uint8_t* steps, int64_t line,
                               int64_t channels, __m512i (&sum)[kCount][kVectors]) {
#pragma GCC unroll 8
  for (auto& of_pixel : sum) {
#pragma GCC unroll 8
    for (auto& value : of_pixel) value = _mm512_setzero_si512();
  }
  for (int64_t row = 0; row < 3; ++row) {
    // The three pixels of a line lie behind one another: 3 C bytes.
    const uint8_t* in = steps + row * line;
    for (int64_t c = 0; c < 3 * channels; c += 4, weight += 4 * kGroup) {
      __m512i w[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) w[v] = _mm512_loadu_si512(weight + v * 4 * kLanes);
#pragma GCC unroll 8
      for (int p = 0; p < kCount; ++p) {
        const __m512i value = broadcast(in + p * channels + c);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sum[p][v] = dot(sum[p][v], value, w[v]);
      }
    }
  }
}

// Logits of the tile against the leaders of its pixels.
template <int kCount>
DUALDEPTH_INLINE void hold(const __m512i (&sum)[kCount][kVectors], const IntegerLevelKernel& kernel,
                           int64_t level, float* best, int32_t* index) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#pragma GCC unroll 8
  for (int p = 0; p < kCount; ++p) {
    __m512 leader = _mm512_loadu_ps(best + p * kLanes);
    __m512i at = _mm512_loadu_si512(index + p * kLanes);
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const int64_t first = level + v * kLanes;
      const __m512 logit =
          _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[p][v]), _mm512_loadu_ps(kernel.scale + first),
                          _mm512_loadu_ps(kernel.bias + first));
      const __mmask16 wins = _mm512_cmp_ps_mask(logit, leader, _CMP_GT_OQ);
      const __m512i here = _mm512_add_epi32(lane, _mm512_set1_epi32(static_cast<int32_t>(first)));
      leader = _mm512_mask_mov_ps(leader, wins, logit);
      at = _mm512_mask_mov_epi32(at, wins, here);
    }
    _mm512_storeu_ps(best + p * kLanes, leader);
    _mm512_storeu_si512(index + p * kLanes, at);
  }
}

template <int kCount>
DUALDEPTH_INLINE void tile(const IntegerLevelKernel& kernel, int64_t level, const uint8_t* steps,
                           int64_t line, int64_t x, IntegerLevelWorkspace& workspace) {
  __m512i sum[kCount][kVectors];
  multiply<kCount>(kernel.weight + level * 9 * kernel.channels, steps + x * kernel.channels, line,
                   kernel.channels, sum);
  hold<kCount>(sum, kernel, level, workspace.best.data() + x * kLanes,
               workspace.index.data() + x * kLanes);
}

// The first level of a pixel's greatest logits; 0 where these are at most clipping_value.
DUALDEPTH_INLINE int64_t first_of_greatest(const float* best, const int32_t* index,
                                           float clipping_value) {
  const __m512 leader = _mm512_loadu_ps(best);
  const float winner = _mm512_reduce_max_ps(leader);
  if (winner <= clipping_value) return 0;
  const __m512 greatest = _mm512_set1_ps(winner);
  const __mmask16 wins = _mm512_cmp_ps_mask(leader, greatest, _CMP_EQ_OQ);
  return _mm512_mask_reduce_min_epi32(wins, _mm512_loadu_si512(index));
}

void run_lines(const IntegerLevelKernel& kernel, const uint8_t* steps, int64_t width, int64_t lines,
               IntegerLevelWorkspace& workspace, int64_t* levels) {
  const int64_t line = (width + 2) * kernel.channels;
  for (int64_t y = 0; y < lines; ++y) {
    std::fill(workspace.best.begin(), workspace.best.end(),
              -std::numeric_limits<float>::infinity());
    for (int64_t level = 0; level < kernel.padded_levels; level += kGroup) {
      int64_t x = 0;
      for (; x + kPixels <= width; x += kPixels) {
        tile<kPixels>(kernel, level, steps + y * line, line, x, workspace);
      }
      for (; x < width; ++x) tile<1>(kernel, level, steps + y * line, line, x, workspace);
    }
    for (int64_t x = 0; x < width; ++x) {
      levels[y * width + x] =
          first_of_greatest(workspace.best.data() + x * kLanes, workspace.index.data() + x * kLanes,
                            kernel.clipping_value);
    }
  }
}

}  // namespace
}  // namespace dualdepth

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC diagnostic pop
#pragma GCC pop_options
#endif

namespace dualdepth {

int64_t integer_level_group() {
  // Highway knows whether the CPU has the F, BW, DQ and VL parts of AVX-512, and forbids them where
  // a test asks for the path without.
  const bool has_avx512 = (hwy::SupportedTargets() & (HWY_AVX3 | HWY_AVX3_DL)) != 0;
  return has_avx512 && __builtin_cpu_supports("avx512vnni") != 0 ? kGroup : 0;
}

void integer_level_lines(const IntegerLevelKernel& kernel, const uint8_t* steps, int64_t width,
                         int64_t lines, IntegerLevelWorkspace& workspace, int64_t* levels) {
  const auto lanes = static_cast<size_t>(width * kLanes);
  workspace.best.resize(lanes);
  workspace.index.resize(lanes);
  run_lines(kernel, steps, width, lines, workspace, levels);
}

}  // namespace dualdepth

#else

namespace dualdepth {

int64_t integer_level_group() { return 0; }

void integer_level_lines(const IntegerLevelKernel&, const uint8_t*, int64_t, int64_t,
                         IntegerLevelWorkspace&, int64_t*) {}

}  // namespace dualdepth

#endif
