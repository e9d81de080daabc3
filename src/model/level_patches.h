// Per-target code that the kernels of 3x3 heads with many channels share: minimal filtering
// F(4x4, 3x3), see kLevelFilterTransform. Included once for each instruction set.
#if defined(DUALDEPTH_LEVEL_PATCHES_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DUALDEPTH_LEVEL_PATCHES_H_
#undef DUALDEPTH_LEVEL_PATCHES_H_
#else
#define DUALDEPTH_LEVEL_PATCHES_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "level_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace dualdepth::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

constexpr int kVectors = 4;  // of levels in a register tile
// Patches in a register tile: kVectors times as many accumulators must fit into the registers
// beside the weights.
constexpr int kPatches = HWY_MAX_BYTES >= 64 ? 6 : 2;
constexpr int64_t kLine = kLevelLine;
constexpr int64_t kSide = 4;  // pixels of a patch along x and y
// Patches whose sums (37 kB with 64 levels) stay in the cache beside their products (9 kB).
constexpr int64_t kPatchesAtOnce = 6;

inline int64_t lanes() { return static_cast<int64_t>(hn::Lanes(Floats())); }
inline int64_t group() { return kVectors * lanes(); }

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
inline float transform_patches(const LevelMap& map, int64_t y, int64_t first, int64_t count,
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

// The products of `count` patches for one group of levels and one column of points. in:
// [kLevelPoints][count][C]; products: [kLine][kPatchesAtOnce][group].
inline void multiply_patches(const LevelFilters& filters, int64_t level, int64_t column,
                             const float* in, int64_t count, float* products) {
  const int64_t channels = filters.channels;
  for (int64_t row = 0; row < kLine; ++row) {
    const int64_t point = kLine * row + column;
    const float* weight = filters.transform + (level * kLevelPoints + point * group()) * channels;
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

inline void size_workspace(PatchWorkspace& workspace, int64_t channels) {
  workspace.zeros.assign(static_cast<size_t>(channels), 0.F);
  workspace.inputs.resize(static_cast<size_t>(kLevelPoints * kPatchesAtOnce * channels));
  workspace.products.resize(static_cast<size_t>(kLine * kPatchesAtOnce * group()));
  workspace.rows.resize(static_cast<size_t>(kPatchesAtOnce * kSide * kLine * group()));
}

// Multiplies the patches in workspace.inputs with each group of levels and sums the products along
// the columns. Then calls use(patch, rows, first level) for each patch, whose logits are
// (rows) A + bias; rows: [kSide][kLine][group].
template <class Use>
HWY_INLINE void for_each_group(const LevelFilters& filters, int64_t count,
                               PatchWorkspace& workspace, const Use& use) {
  float* products = workspace.products.data();
  float* rows = workspace.rows.data();
  for (int64_t level = 0; level < filters.padded_levels; level += group()) {
    for (int64_t column = 0; column < kLine; ++column) {
      multiply_patches(filters, level, column, workspace.inputs.data(), count, products);
      for (int64_t patch = 0; patch < count; ++patch) {
        sum_column(products + patch * group(), rows + (patch * kSide * kLine + column) * group());
      }
    }
    for (int64_t patch = 0; patch < count; ++patch) {
      use(patch, rows + patch * kSide * kLine * group(), level);
    }
  }
}

// Calls use(y, first, count) for each tile of the lines begin .. end - 1: `count` patches whose
// first pixels are (y, 4 first), ...
template <class Use>
HWY_INLINE void for_each_tile(const LevelMap& map, int64_t begin, int64_t end, Use use) {
  const int64_t all = (map.width + kSide - 1) / kSide;
  for (int64_t y = begin; y < end; y += kSide) {
    for (int64_t first = 0; first < all; first += kPatchesAtOnce) {
      use(y, first, std::min(kPatchesAtOnce, all - first));
    }
  }
}

// Calls use(place, row, x) for each pixel (y + row, x) of a tile that lies in the map and before
// line `end`; place: its number in [count][kSide][kSide].
template <class Use>
HWY_INLINE void for_each_pixel(const LevelMap& map, int64_t y, int64_t end, int64_t first,
                               int64_t count, Use use) {
  for (int64_t row = 0; row < kSide && y + row < end; ++row) {
    for (int64_t i = 0; i < count * kSide && first * kSide + i < map.width; ++i) {
      use((i / kSide * kSide + row) * kSide + i % kSide, row, first * kSide + i);
    }
  }
}

}  // namespace dualdepth::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
