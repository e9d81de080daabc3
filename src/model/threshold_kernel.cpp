#include "level_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/threshold_kernel.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
// After foreach_target.h.
#include <hwy/highway.h>

#include "level_patches.h"

HWY_BEFORE_NAMESPACE();
namespace dualdepth::HWY_NAMESPACE {

// clip((A^T m) A + bias, 0, 1) of one patch, added to the sums of its pixels. rows:
// [kSide][kLine][group]; sums: at the patch's first pixel, [kSide][kSide][lanes].
HWY_INLINE void add_clipped_rows(const float* rows, const float* bias, float* sums) {
  const Floats d;
  const int64_t width = lanes();
  const auto zero = hn::Zero(d);
  const auto one = hn::Set(d, 1.F);
  for (int64_t row = 0; row < kSide; ++row) {
    Vector sum[kSide];
#pragma GCC unroll 4
    for (int64_t p = 0; p < kSide; ++p) sum[p] = hn::LoadU(d, sums + p * width);
    for (int v = 0; v < kVectors; ++v) {
      const auto load = [&](int64_t column) HWY_ATTR {
        return hn::LoadU(d, rows + ((kLine * row + column) * kVectors + v) * width);
      };
      const Inverse across(load(0), load(1), load(2), load(3), load(4), load(5));
      const auto start = hn::LoadU(d, bias + v * width);
      const Vector logits[kSide] = {hn::Add(across.at0(), start), hn::Add(across.at1(), start),
                                    hn::Add(across.at2(), start), hn::Add(across.at3(), start)};
#pragma GCC unroll 4
      for (int64_t p = 0; p < kSide; ++p) {
        sum[p] = hn::Add(sum[p], hn::Min(hn::Max(logits[p], zero), one));
      }
    }
#pragma GCC unroll 4
    for (int64_t p = 0; p < kSide; ++p, sums += width) hn::StoreU(sum[p], d, sums);
  }
}

// The lines y .. y + 3 of `count` patches, as far as they lie before `end`. sums: of line y.
void sum_patches(const LevelFilters& filters, const LevelMap& map, int64_t y, int64_t end,
                 int64_t first, int64_t count, ThresholdWorkspace& workspace, float* sums) {
  const Floats d;
  const int64_t width = lanes();
  transform_patches(map, y, first, count, filters.channels, workspace.patches.zeros.data(),
                    workspace.patches.inputs.data());
  std::fill(workspace.sums.begin(), workspace.sums.end(), 0.F);
  for_each_group(filters, count, workspace.patches,
                 [&](int64_t patch, const float* rows, int64_t level) HWY_ATTR {
                   add_clipped_rows(rows, filters.bias + level,
                                    workspace.sums.data() + patch * kSide * kSide * width);
                 });
  for_each_pixel(map, y, end, first, count, [&](int64_t place, int64_t row, int64_t x) HWY_ATTR {
    const auto lanes_of_pixel = hn::LoadU(d, workspace.sums.data() + place * width);
    sums[row * map.width + x] = hn::GetLane(hn::SumOfLanes(d, lanes_of_pixel));
  });
}

void sum_thresholds(const LevelFilters& filters, const LevelMap& map, int64_t begin, int64_t end,
                    ThresholdWorkspace& workspace, float* sums) {
  size_workspace(workspace.patches, filters.channels);
  workspace.sums.resize(static_cast<size_t>(kPatchesAtOnce * kSide * kSide * lanes()));
  for_each_tile(map, begin, end, [&](int64_t y, int64_t first, int64_t count) HWY_ATTR {
    sum_patches(filters, map, y, end, first, count, workspace, sums + (y - begin) * map.width);
  });
}

}  // namespace dualdepth::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dualdepth {

HWY_EXPORT(sum_thresholds);

void threshold_lines(const LevelFilters& filters, const LevelMap& map, int64_t begin, int64_t end,
                     ThresholdWorkspace& workspace, float* sums) {
  HWY_DYNAMIC_DISPATCH(sum_thresholds)(filters, map, begin, end, workspace, sums);
}

}  // namespace dualdepth
#endif
