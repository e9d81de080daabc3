#include "level_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/level_kernel.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
// After foreach_target.h.
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "level_patches.h"

HWY_BEFORE_NAMESPACE();
namespace dualdepth::HWY_NAMESPACE {

using Indices = hn::RebindToSigned<Floats>;

// Above the rounding error of the difference of two transformed sums, in units of rounding_size
// times the greatest transformed input over its gain. Emulated in float32 against float64 (Python
// torch), for 1, 4, 16 and 64 channels, filters that are dense, sparse or a single tap, and inputs
// of four kinds, one sum's error was at most 3.5e-7 of it. The bias is added last in float32 and is
// no part of it.
constexpr float kRounding = 8e-7F;

// Greatest logit so far and its level, for each lane.
struct Leader {
  Vector best;
  hn::Vec<Indices> level;

  HWY_INLINE void add(const Vector& logit, int64_t first_level) {
    const Indices di;
    const auto wins = hn::Gt(logit, best);
    const auto here = hn::Iota(di, static_cast<int32_t>(first_level));
    best = hn::IfThenElse(wins, logit, best);
    level = hn::IfThenElse(hn::RebindMask(di, wins), here, level);
  }

  // The first level of the greatest logits; 0 where these are at most clipping_value.
  HWY_INLINE int64_t first_of_greatest(float clipping_value) const {
    const Floats d;
    const Indices di;
    if (hn::GetLane(hn::MaxOfLanes(d, best)) <= clipping_value) return 0;
    const auto none = hn::Set(di, std::numeric_limits<int32_t>::max());
    const auto wins = hn::Eq(best, hn::MaxOfLanes(d, best));
    return hn::GetLane(hn::MinOfLanes(di, hn::IfThenElse(hn::RebindMask(di, wins), level, none)));
  }
};

// (A^T m) A + bias of one patch, held against the leaders of its pixels. rows:
// [kSide][kLine][group]. best, second, index: at the patch's first pixel, [kSide][kSide][lanes].
HWY_INLINE void sum_rows(const float* rows, const float* bias, int64_t first_level, float* best,
                         float* second, int32_t* index) {
  const Floats d;
  const Indices di;
  const int64_t width = lanes();
  for (int64_t row = 0; row < kSide; ++row) {
    Leader leader[kSide];
    Vector runner[kSide];
#pragma GCC unroll 4
    for (int64_t p = 0; p < kSide; ++p) {
      leader[p].best = hn::LoadU(d, best + p * width);
      leader[p].level = hn::LoadU(di, index + p * width);
      runner[p] = hn::LoadU(d, second + p * width);
    }
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
        runner[p] = hn::Max(runner[p], hn::Min(logits[p], leader[p].best));
        leader[p].add(logits[p], first_level + v * width);
      }
    }
#pragma GCC unroll 4
    for (int64_t p = 0; p < kSide; ++p, best += width, second += width, index += width) {
      hn::StoreU(leader[p].best, d, best);
      hn::StoreU(leader[p].level, di, index);
      hn::StoreU(runner[p], d, second);
    }
  }
}

// One pixel without a transform.
int64_t direct_level(const LevelKernel& kernel, const LevelMap& map, int64_t y, int64_t x) {
  const Floats d;
  const int64_t width = lanes();
  Leader leader{hn::Set(d, -std::numeric_limits<float>::infinity()), hn::Zero(Indices())};
  for (int64_t level = 0; level < kernel.filters.padded_levels; level += group()) {
    Vector sum[kVectors];
    for (int v = 0; v < kVectors; ++v)
      sum[v] = hn::LoadU(d, kernel.filters.bias + level + v * width);
    for (int64_t tap = 0; tap < 9; ++tap) {
      const int64_t row = y + tap / 3 - 1;
      const int64_t column = x + tap % 3 - 1;
      if (row < 0 || row >= map.height || column < 0 || column >= map.width) continue;
      const float* in = map.values + (row * map.width + column) * kernel.filters.channels;
      const float* weight = kernel.weight + (level * 9 + tap * group()) * kernel.filters.channels;
      for (int64_t c = 0; c < kernel.filters.channels; ++c, weight += group()) {
        const auto value = hn::Set(d, in[c]);
        for (int v = 0; v < kVectors; ++v) {
          sum[v] = hn::MulAdd(value, hn::LoadU(d, weight + v * width), sum[v]);
        }
      }
    }
    for (int v = 0; v < kVectors; ++v) leader.add(sum[v], level + v * width);
  }
  return leader.first_of_greatest(kernel.clipping_value);
}

// The winning level of a pixel from the leaders of its lanes; -1 where rounding might have ordered
// the two best, or the best and clipping_value.
int64_t clear_level(const float* best, const float* second, const int32_t* index, float margin,
                    float clipping_value) {
  const Floats d;
  const Leader leader{hn::LoadU(d, best), hn::LoadU(Indices(), index)};
  const auto wins = hn::Eq(leader.best, hn::MaxOfLanes(d, leader.best));
  const auto others = hn::IfThenElse(wins, hn::LoadU(d, second), leader.best);
  const float greatest = hn::GetLane(hn::MaxOfLanes(d, leader.best));
  const float gap = greatest - hn::GetLane(hn::MaxOfLanes(d, others));
  const bool clear =
      hn::CountTrue(d, wins) == 1 && gap > margin && std::abs(greatest - clipping_value) > margin;
  return clear ? leader.first_of_greatest(clipping_value) : -1;
}

// The lines y .. y + 3 of `count` patches, as far as they lie before `end`. levels: of line y.
void patches(const LevelKernel& kernel, const LevelMap& map, int64_t y, int64_t end, int64_t first,
             int64_t count, LevelWorkspace& workspace, int64_t* levels) {
  const int64_t width = lanes();
  const float greatest =
      transform_patches(map, y, first, count, kernel.filters.channels,
                        workspace.patches.zeros.data(), workspace.patches.inputs.data());
  const float margin = kRounding * kernel.rounding_size * greatest;
  const float lowest = -std::numeric_limits<float>::infinity();
  std::fill(workspace.best.begin(), workspace.best.end(), lowest);
  std::fill(workspace.second.begin(), workspace.second.end(), lowest);
  for_each_group(kernel.filters, count, workspace.patches,
                 [&](int64_t patch, const float* rows, int64_t level) HWY_ATTR {
                   const int64_t pixel = patch * kSide * kSide * width;
                   sum_rows(rows, kernel.filters.bias + level, level, workspace.best.data() + pixel,
                            workspace.second.data() + pixel, workspace.index.data() + pixel);
                 });
  for_each_pixel(map, y, end, first, count, [&](int64_t place, int64_t row, int64_t x) HWY_ATTR {
    const int64_t pixel = place * width;
    const int64_t level =
        clear_level(workspace.best.data() + pixel, workspace.second.data() + pixel,
                    workspace.index.data() + pixel, margin, kernel.clipping_value);
    levels[row * map.width + x] = level >= 0 ? level : direct_level(kernel, map, y + row, x);
  });
}

void lines(const LevelKernel& kernel, const LevelMap& map, int64_t begin, int64_t end,
           LevelWorkspace& workspace, int64_t* levels) {
  const auto pixels = static_cast<size_t>(kPatchesAtOnce * kSide * kSide * lanes());
  size_workspace(workspace.patches, kernel.filters.channels);
  workspace.best.resize(pixels);
  workspace.second.resize(pixels);
  workspace.index.resize(pixels);
  for_each_tile(map, begin, end, [&](int64_t y, int64_t first, int64_t count) HWY_ATTR {
    patches(kernel, map, y, end, first, count, workspace, levels + (y - begin) * map.width);
  });
}

}  // namespace dualdepth::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dualdepth {

HWY_EXPORT(group);
HWY_EXPORT(lines);

int64_t level_group() { return HWY_DYNAMIC_DISPATCH(group)(); }

void level_lines(const LevelKernel& kernel, const LevelMap& map, int64_t begin, int64_t end,
                 LevelWorkspace& workspace, int64_t* levels) {
  HWY_DYNAMIC_DISPATCH(lines)(kernel, map, begin, end, workspace, levels);
}

}  // namespace dualdepth
#endif
