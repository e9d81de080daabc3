#include "fraction_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/fraction_kernel.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
// After foreach_target.h.
#include <hwy/highway.h>

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace dualdepth::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The sums of kCount neighbouring pixels from (y, x) on; of more than one, all columns that they
// read are inside the picture.
template <int kCount>
HWY_INLINE void sums_of(const FractionKernel& kernel, const LevelMap& map, int64_t y, int64_t x,
                        float* out) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const int64_t channels = kernel.channels;
  const auto width = static_cast<int64_t>(hn::Lanes(d));
  hn::Vec<decltype(d)> sum[kCount];
  hn::Vec<decltype(one)> rest[kCount];
  for (int p = 0; p < kCount; ++p) {
    sum[p] = hn::Zero(d);
    rest[p] = hn::Set(one, kernel.bias);
  }
  for (int64_t row = std::max<int64_t>(y - 1, 0); row < std::min(y + 2, map.height); ++row) {
    for (int64_t tap = 0; tap < 3; ++tap) {
      const int64_t column = x + tap - 1;
      if (kCount == 1 && (column < 0 || column >= map.width)) continue;
      const float* in = map.values + (row * map.width + column) * channels;
      const float* weight = kernel.weight + (3 * (row - y + 1) + tap) * channels;
      int64_t c = 0;
      for (; c + width <= channels; c += width) {
        const auto w = hn::LoadU(d, weight + c);
        for (int p = 0; p < kCount; ++p) {
          sum[p] = hn::MulAdd(hn::LoadU(d, in + p * channels + c), w, sum[p]);
        }
      }
      for (; c < channels; ++c) {
        const auto w = hn::LoadU(one, weight + c);
        for (int p = 0; p < kCount; ++p) {
          rest[p] = hn::MulAdd(hn::LoadU(one, in + p * channels + c), w, rest[p]);
        }
      }
    }
  }
  for (int p = 0; p < kCount; ++p) {
    out[p] = hn::GetLane(hn::SumOfLanes(d, sum[p])) + hn::GetLane(rest[p]);
  }
}

void sum_line(const FractionKernel& kernel, const LevelMap& map, int64_t y, float* out) {
  constexpr int kCount = 4;
  sums_of<1>(kernel, map, y, 0, out);
  int64_t x = 1;
  for (; x + kCount < map.width; x += kCount) sums_of<kCount>(kernel, map, y, x, out + x);
  for (; x < map.width; ++x) sums_of<1>(kernel, map, y, x, out + x);
}

void sum_lines(const FractionKernel& kernel, const LevelMap& map, int64_t begin, int64_t end,
               float* out) {
  for (int64_t y = begin; y < end; ++y, out += map.width) sum_line(kernel, map, y, out);
}

}  // namespace dualdepth::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dualdepth {

HWY_EXPORT(sum_lines);

void fraction_lines(const FractionKernel& kernel, const LevelMap& map, int64_t begin, int64_t end,
                    float* out) {
  HWY_DYNAMIC_DISPATCH(sum_lines)(kernel, map, begin, end, out);
}

}  // namespace dualdepth
#endif
