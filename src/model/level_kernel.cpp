#include "level_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/level_kernel.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
// After foreach_target.h.
#include <hwy/highway.h>

#include <limits>

HWY_BEFORE_NAMESPACE();
namespace dualdepth::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Indices = hn::RebindToSigned<Floats>;

constexpr int kVectors = 4;  // of levels in a tile
// Pixels in a tile: kVectors times as many accumulators must fit into the registers beside the
// weights.
constexpr int kPixels = HWY_MAX_BYTES >= 64 ? 6 : 2;

int64_t group() { return static_cast<int64_t>(kVectors * hn::Lanes(Floats())); }

// The logits of kCount neighbouring pixels for one group of levels, held against the greatest so
// far.
template <int kCount>
HWY_INLINE void tile(const LevelKernel& kernel, const float* weight, const float* bias,
                     const float* const rows[3], int64_t x, int64_t first_level, float* best,
                     int32_t* index) {
  const Floats d;
  const Indices di;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t channels = kernel.channels;
  hn::Vec<Floats> sum[kCount][kVectors];
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) {
    const auto start = hn::LoadU(d, bias + v * lanes);
#pragma GCC unroll 8
    for (int p = 0; p < kCount; ++p) sum[p][v] = start;
  }
  for (int ky = 0; ky < 3; ++ky) {
    const float* in = rows[ky] + x * channels;
    for (int64_t k = 0; k < 3 * channels; ++k, ++in, weight += kVectors * lanes) {
      hn::Vec<Floats> w[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) w[v] = hn::LoadU(d, weight + v * lanes);
#pragma GCC unroll 8
      for (int p = 0; p < kCount; ++p) {
        const auto value = hn::Set(d, in[p * channels]);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sum[p][v] = hn::MulAdd(value, w[v], sum[p][v]);
      }
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < kCount; ++p) {
    float* pixel_best = best + (x + p) * lanes;
    int32_t* pixel_index = index + (x + p) * lanes;
    auto greatest = hn::LoadU(d, pixel_best);
    auto level = hn::LoadU(di, pixel_index);
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const auto wins = hn::Gt(sum[p][v], greatest);
      const auto here = hn::Iota(di, static_cast<int32_t>(first_level + v * lanes));
      greatest = hn::IfThenElse(wins, sum[p][v], greatest);
      level = hn::IfThenElse(hn::RebindMask(di, wins), here, level);
    }
    hn::StoreU(greatest, d, pixel_best);
    hn::StoreU(level, di, pixel_index);
  }
}

void row(const LevelKernel& kernel, const float* const rows[3], float* best, int32_t* index,
         int64_t* levels) {
  const Floats d;
  const Indices di;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t width = kernel.width;
  for (int64_t i = 0; i < width * lanes; i += lanes) {
    hn::StoreU(hn::Set(d, -std::numeric_limits<float>::infinity()), d, best + i);
    hn::StoreU(hn::Zero(di), di, index + i);
  }
  const int64_t step = group();
  const int64_t taps = 9 * kernel.channels;
  for (int64_t level = 0; level < kernel.padded_levels; level += step) {
    const float* weight = kernel.weight + level * taps;
    const float* bias = kernel.bias + level;
    int64_t x = 0;
    for (; x + kPixels <= width; x += kPixels) {
      tile<kPixels>(kernel, weight, bias, rows, x, level, best, index);
    }
    // The last tile goes over some pixels twice, which changes nothing: a logit does not beat
    // itself.
    if (x < width && width >= kPixels) {
      tile<kPixels>(kernel, weight, bias, rows, width - kPixels, level, best, index);
    } else {
      for (; x < width; ++x) tile<1>(kernel, weight, bias, rows, x, level, best, index);
    }
  }
  const auto none = hn::Set(di, std::numeric_limits<int32_t>::max());
  for (int64_t x = 0; x < width; ++x) {
    const auto greatest = hn::LoadU(d, best + x * lanes);
    const auto level = hn::LoadU(di, index + x * lanes);
    const auto wins = hn::Eq(greatest, hn::MaxOfLanes(d, greatest));
    const auto first = hn::MinOfLanes(di, hn::IfThenElse(hn::RebindMask(di, wins), level, none));
    levels[x] = hn::GetLane(first);
  }
}

}  // namespace dualdepth::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dualdepth {

HWY_EXPORT(group);
HWY_EXPORT(row);

int64_t level_group() { return HWY_DYNAMIC_DISPATCH(group)(); }

void level_row(const LevelKernel& kernel, const float* const rows[3], float* best, int32_t* index,
               int64_t* levels) {
  HWY_DYNAMIC_DISPATCH(row)(kernel, rows, best, index, levels);
}

}  // namespace dualdepth
#endif
