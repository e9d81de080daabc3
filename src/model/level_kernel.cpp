#include "level_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/level_kernel.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
// After foreach_target.h.
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace dualdepth::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Indices = hn::RebindToSigned<Floats>;
using Vector = hn::Vec<Floats>;

constexpr int kVectors = 4;  // of levels in a register tile
// Patches in a register tile: kVectors times as many accumulators must fit into the registers
// beside the weights.
constexpr int kPatches = HWY_MAX_BYTES >= 64 ? 6 : 2;
constexpr int64_t kLine = kLevelLine;
constexpr int64_t kSide = 4;  // pixels of a patch along x and y
// Patches whose sums (37 kB with 64 levels) stay in the cache beside their products (9 kB).
constexpr int64_t kPatchesAtOnce = 6;
// Above the rounding error of the difference of two transformed sums, in units of rounding_size
// times the greatest transformed input over its gain. Emulated in float32 against float64 (Python
// torch), for 1, 4, 16 and 64 channels, filters that are dense, sparse or a single tap, and inputs
// of four kinds, one sum's error was at most 3.5e-7 of it. The bias is added last in float32 and is
// no part of it.
constexpr float kRounding = 8e-7F;

int64_t lanes() { return static_cast<int64_t>(hn::Lanes(Floats())); }
int64_t group() { return kVectors * lanes(); }

// B^T d B of one patch, Lanes(d) channels of it, from its 6x6 pixels; a point further every `point`
// numbers. Returns the greatest absolute results, each over its gain (kLevelInputGain).
template <class D>
HWY_INLINE hn::Vec<D> transform_patch(D d, const std::array<const float*, kLevelPoints>& pixel,
                                      int64_t c, float* out, int64_t point) {
  const auto four = hn::Set(d, 4.F), five = hn::Set(d, 5.F), two = hn::Set(d, 2.F);
  const auto transform = [&](const hn::Vec<D>(&x)[kLine], hn::Vec<D>(&to)[kLine]) HWY_ATTR {
    const auto even = hn::NegMulAdd(four, x[2], x[4]);
    const auto odd = hn::NegMulAdd(four, x[1], x[3]);
    const auto near = hn::Sub(x[4], x[2]);
    const auto twice = hn::Mul(two, hn::Sub(x[3], x[1]));
    to[0] = hn::MulAdd(four, x[0], hn::NegMulAdd(five, x[2], x[4]));
    to[1] = hn::Add(even, odd);
    to[2] = hn::Sub(even, odd);
    to[3] = hn::Add(near, twice);
    to[4] = hn::Sub(near, twice);
    to[5] = hn::MulAdd(four, x[1], hn::NegMulAdd(five, x[3], x[5]));
  };
  auto greatest = hn::Zero(d);
  hn::Vec<D> rows[kLine][kLine];
  for (size_t row = 0; row < kLine; ++row) {
    hn::Vec<D> x[kLine];
    for (size_t i = 0; i < kLine; ++i) {
      x[i] = hn::LoadU(d, pixel[kLine * row + i] + c);
    }
    transform(x, rows[row]);
  }
  for (int64_t column = 0; column < kLine; ++column) {
    hn::Vec<D> x[kLine], to[kLine];
    for (size_t row = 0; row < kLine; ++row) x[row] = rows[row][column];
    transform(x, to);
    for (int64_t row = 0; row < kLine; ++row) {
      const auto gain = hn::Set(d, 1 / (kLevelInputGain[row] * kLevelInputGain[column]));
      greatest = hn::Max(greatest, hn::Mul(hn::Abs(to[row]), gain));
      hn::StoreU(to[row], d, out + (kLine * row + column) * point + c);
    }
  }
  return greatest;
}

// B^T d B of `count` patches whose first pixels are (y, 4 first), ...: [kLevelPoints][count][C].
// `zeros`: C of them. Returns the greatest absolute value, each over its gain.
float transform_patches(const LevelMap& map, int64_t y, int64_t first, int64_t count,
                        int64_t channels, const float* zeros, float* out) {
  const Floats d;
  const hn::CappedTag<float, 1> one;
  const int64_t point = count * channels;
  auto greatest = hn::Zero(d);
  auto greatest_of_rest = hn::Zero(one);
  for (int64_t patch = 0; patch < count; ++patch) {
    std::array<const float*, kLevelPoints> pixel;
    for (int64_t i = 0; i < kLevelPoints; ++i) {
      const int64_t row = y + i / kLine - 1;
      const int64_t x = kSide * (first + patch) + i % kLine - 1;
      const bool inside = row >= 0 && row < map.height && x >= 0 && x < map.width;
      pixel[static_cast<size_t>(i)] =
          inside ? map.values + (row * map.width + x) * channels : zeros;
    }
    float* to = out + patch * channels;
    int64_t c = 0;
    for (; c + lanes() <= channels; c += lanes()) {
      greatest = hn::Max(greatest, transform_patch(d, pixel, c, to, point));
    }
    for (; c < channels; ++c) {
      greatest_of_rest = hn::Max(greatest_of_rest, transform_patch(one, pixel, c, to, point));
    }
  }
  return std::max(hn::GetLane(hn::MaxOfLanes(d, greatest)), hn::GetLane(greatest_of_rest));
}

// Sums over C channels of one point, of kCount neighbouring patches and one group of levels.
// in: [kCount][C]; out: [kCount][group].
template <int kCount>
HWY_INLINE void multiply(const float* weight, const float* in, int64_t channels, float* out) {
  const Floats d;
  const int64_t width = lanes();
  Vector sum[kCount][kVectors];
#pragma GCC unroll 8
  for (auto& of_patch : sum) {
#pragma GCC unroll 8
    for (auto& value : of_patch) value = hn::Zero(d);
  }
  for (int64_t c = 0; c < channels; ++c, ++in, weight += kVectors * width) {
    Vector w[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) w[v] = hn::LoadU(d, weight + v * width);
#pragma GCC unroll 8
    for (int p = 0; p < kCount; ++p) {
      const auto value = hn::Set(d, in[p * channels]);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[p][v] = hn::MulAdd(value, w[v], sum[p][v]);
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < kCount; ++p) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      hn::StoreU(sum[p][v], d, out + (p * kVectors + v) * width);
    }
  }
}

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

// A^T m of six values of each lane.
struct Inverse {
  Vector sum1, sum2, odd1, odd2, first, last;

  HWY_INLINE Inverse(const Vector& m0, const Vector& m1, const Vector& m2, const Vector& m3,
                     const Vector& m4, const Vector& m5)
      : sum1(hn::Add(m1, m2)),
        sum2(hn::Add(m3, m4)),
        odd1(hn::Sub(m1, m2)),
        odd2(hn::Sub(m3, m4)),
        first(m0),
        last(m5) {}

  HWY_INLINE Vector at0() const { return hn::Add(hn::Add(sum1, sum2), first); }
  HWY_INLINE Vector at1() const { return hn::MulAdd(hn::Set(Floats(), 2), odd2, odd1); }
  HWY_INLINE Vector at2() const { return hn::MulAdd(hn::Set(Floats(), 4), sum2, sum1); }
  HWY_INLINE Vector at3() const {
    return hn::Add(hn::MulAdd(hn::Set(Floats(), 8), odd2, odd1), last);
  }
};

// A^T m of one patch's column of products. products: [kLine][kPatchesAtOnce][group] at the patch;
// rows: [kSide][kLine][group] at the column.
HWY_INLINE void sum_column(const float* products, float* rows) {
  const Floats d;
  const int64_t width = lanes();
  for (int v = 0; v < kVectors; ++v) {
    const auto load = [&](int64_t row) HWY_ATTR {
      return hn::LoadU(d, products + (row * kPatchesAtOnce * kVectors + v) * width);
    };
    const Inverse down(load(0), load(1), load(2), load(3), load(4), load(5));
    float* to = rows + v * width;
    const int64_t row = kLine * kVectors * width;
    hn::StoreU(down.at0(), d, to);
    hn::StoreU(down.at1(), d, to + row);
    hn::StoreU(down.at2(), d, to + 2 * row);
    hn::StoreU(down.at3(), d, to + 3 * row);
  }
}

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
  for (int64_t level = 0; level < kernel.padded_levels; level += group()) {
    Vector sum[kVectors];
    for (int v = 0; v < kVectors; ++v) sum[v] = hn::LoadU(d, kernel.bias + level + v * width);
    for (int64_t tap = 0; tap < 9; ++tap) {
      const int64_t row = y + tap / 3 - 1;
      const int64_t column = x + tap % 3 - 1;
      if (row < 0 || row >= map.height || column < 0 || column >= map.width) continue;
      const float* in = map.values + (row * map.width + column) * kernel.channels;
      const float* weight = kernel.weight + (level * 9 + tap * group()) * kernel.channels;
      for (int64_t c = 0; c < kernel.channels; ++c, weight += group()) {
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

// The products of `count` patches for one group of levels and one column of points. in:
// [kLevelPoints][count][C]; products: [kLine][kPatchesAtOnce][group].
void multiply_patches(const LevelKernel& kernel, int64_t level, int64_t column, const float* in,
                      int64_t count, float* products) {
  const int64_t channels = kernel.channels;
  for (int64_t row = 0; row < kLine; ++row) {
    const int64_t point = kLine * row + column;
    const float* weight = kernel.transform + (level * kLevelPoints + point * group()) * channels;
    const float* values = in + point * count * channels;
    float* out = products + row * kPatchesAtOnce * group();
    int64_t patch = 0;
    for (; patch + kPatches <= count; patch += kPatches) {
      multiply<kPatches>(weight, values + patch * channels, channels, out + patch * group());
    }
    // The last tile computes some patches twice.
    if (patch < count && count >= kPatches) {
      patch = count - kPatches;
      multiply<kPatches>(weight, values + patch * channels, channels, out + patch * group());
      patch = count;
    }
    for (; patch < count; ++patch) {
      multiply<1>(weight, values + patch * channels, channels, out + patch * group());
    }
  }
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
  const float greatest = transform_patches(map, y, first, count, kernel.channels,
                                           workspace.zeros.data(), workspace.inputs.data());
  const float margin = kRounding * kernel.rounding_size * greatest;
  const float lowest = -std::numeric_limits<float>::infinity();
  std::fill(workspace.best.begin(), workspace.best.end(), lowest);
  std::fill(workspace.second.begin(), workspace.second.end(), lowest);
  for (int64_t level = 0; level < kernel.padded_levels; level += group()) {
    for (int64_t column = 0; column < kLine; ++column) {
      multiply_patches(kernel, level, column, workspace.inputs.data(), count,
                       workspace.products.data());
      for (int64_t patch = 0; patch < count; ++patch) {
        sum_column(workspace.products.data() + patch * group(),
                   workspace.rows.data() + (patch * kSide * kLine + column) * group());
      }
    }
    for (int64_t patch = 0; patch < count; ++patch) {
      const int64_t pixel = patch * kSide * kSide * width;
      sum_rows(workspace.rows.data() + patch * kSide * kLine * group(), kernel.bias + level, level,
               workspace.best.data() + pixel, workspace.second.data() + pixel,
               workspace.index.data() + pixel);
    }
  }
  for (int64_t row = 0; row < kSide && y + row < end; ++row) {
    for (int64_t i = 0; i < count * kSide && first * kSide + i < map.width; ++i) {
      const int64_t pixel = ((i / kSide * kSide + row) * kSide + i % kSide) * width;
      const int64_t x = first * kSide + i;
      const int64_t level =
          clear_level(workspace.best.data() + pixel, workspace.second.data() + pixel,
                      workspace.index.data() + pixel, margin, kernel.clipping_value);
      levels[row * map.width + x] = level >= 0 ? level : direct_level(kernel, map, y + row, x);
    }
  }
}

void lines(const LevelKernel& kernel, const LevelMap& map, int64_t begin, int64_t end,
           LevelWorkspace& workspace, int64_t* levels) {
  const auto pixels = static_cast<size_t>(kPatchesAtOnce * kSide * kSide * lanes());
  workspace.zeros.assign(static_cast<size_t>(kernel.channels), 0.F);
  workspace.inputs.resize(static_cast<size_t>(kLevelPoints * kPatchesAtOnce * kernel.channels));
  workspace.products.resize(static_cast<size_t>(kLine * kPatchesAtOnce * group()));
  workspace.rows.resize(static_cast<size_t>(kPatchesAtOnce * kSide * kLine * group()));
  workspace.best.resize(pixels);
  workspace.second.resize(pixels);
  workspace.index.resize(pixels);
  const int64_t all = (map.width + kSide - 1) / kSide;
  for (int64_t y = begin; y < end; y += kSide) {
    for (int64_t first = 0; first < all; first += kPatchesAtOnce) {
      patches(kernel, map, y, end, first, std::min(kPatchesAtOnce, all - first), workspace,
              levels + (y - begin) * map.width);
    }
  }
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
