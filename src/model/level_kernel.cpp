#include "level_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/level_kernel.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
// After foreach_target.h.
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace dualdepth::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Indices = hn::RebindToSigned<Floats>;
using Vector = hn::Vec<Floats>;

constexpr int kVectors = 4;  // of levels in a register tile
// Patches of four pixels in a register tile: kVectors times as many accumulators must fit into the
// registers beside the weights.
constexpr int kPatches = HWY_MAX_BYTES >= 64 ? 6 : 2;
constexpr int64_t kPatchPixels = 4;
// Patches whose products (48 kB with 64 levels) stay in the cache until they are summed.
constexpr int64_t kPatchesAtOnce = 36;
// Of weight_size times the greatest input: above the rounding error of the transformed sums.
constexpr float kRounding = 3e-7F;

int64_t lanes() { return static_cast<int64_t>(hn::Lanes(Floats())); }
int64_t group() { return kVectors * lanes(); }
int64_t patches_of(int64_t width) { return (width + kPatchPixels - 1) / kPatchPixels; }

// B^T d of one patch, Lanes(d) channels of it. pixel: six of them; out: a point further every
// `point` numbers. Returns the greatest absolute values.
template <class D>
HWY_INLINE hn::Vec<D> transform_patch(D d, const std::array<const float*, 6>& pixel, int64_t c,
                                      float* out, int64_t point) {
  const auto load = [&](size_t i) HWY_ATTR { return hn::LoadU(d, pixel[i] + c); };
  const auto d0 = load(0), d1 = load(1), d2 = load(2), d3 = load(3), d4 = load(4), d5 = load(5);
  const auto four = hn::Set(d, 4.F), five = hn::Set(d, 5.F);
  const auto even = hn::NegMulAdd(four, d2, d4);
  const auto odd = hn::NegMulAdd(four, d1, d3);
  const auto near = hn::Sub(d4, d2);
  const auto twice = hn::Mul(hn::Set(d, 2.F), hn::Sub(d3, d1));
  float* to = out + c;
  hn::StoreU(hn::MulAdd(four, d0, hn::NegMulAdd(five, d2, d4)), d, to);
  hn::StoreU(hn::Add(even, odd), d, to + point);
  hn::StoreU(hn::Sub(even, odd), d, to + 2 * point);
  hn::StoreU(hn::Add(near, twice), d, to + 3 * point);
  hn::StoreU(hn::Sub(near, twice), d, to + 4 * point);
  hn::StoreU(hn::MulAdd(four, d1, hn::NegMulAdd(five, d3, d5)), d, to + 5 * point);
  return hn::Max(hn::Max(hn::Abs(d1), hn::Abs(d2)), hn::Max(hn::Abs(d3), hn::Abs(d4)));
}

// B^T d of one line: [kLevelPoints][patches][C]. `zeros`: C of them. Returns the greatest absolute
// value of the line.
float transform_line(const LevelMap& map, int64_t y, int64_t channels, const float* zeros,
                     float* out) {
  const Floats d;
  const hn::CappedTag<float, 1> one;
  const int64_t patches = patches_of(map.width);
  const int64_t point = patches * channels;
  if (y < 0 || y >= map.height) {
    std::fill_n(out, kLevelPoints * point, 0.F);
    return 0;
  }
  const float* line = map.values + y * map.width * channels;
  auto greatest = hn::Zero(d);
  auto greatest_of_rest = hn::Zero(one);
  for (int64_t patch = 0; patch < patches; ++patch) {
    std::array<const float*, 6> pixel;
    for (int64_t i = 0; i < 6; ++i) {
      const int64_t x = kPatchPixels * patch + i - 1;
      pixel[static_cast<size_t>(i)] = x >= 0 && x < map.width ? line + x * channels : zeros;
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

// Sums over C channels of three lines, of kCount neighbouring patches and one group of levels.
// in: three lines of one point at the first patch; out: [kCount][group].
template <int kCount>
HWY_INLINE void multiply(const float* weight, const std::array<const float*, 3>& in,
                         int64_t channels, float* out) {
  const Floats d;
  const int64_t width = lanes();
  Vector sum[kCount][kVectors];
#pragma GCC unroll 8
  for (auto& of_patch : sum) {
#pragma GCC unroll 8
    for (auto& value : of_patch) value = hn::Zero(d);
  }
  for (const float* line : in) {
    for (int64_t c = 0; c < channels; ++c, ++line, weight += kVectors * width) {
      Vector w[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) w[v] = hn::LoadU(d, weight + v * width);
#pragma GCC unroll 8
      for (int p = 0; p < kCount; ++p) {
        const auto value = hn::Set(d, line[p * channels]);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sum[p][v] = hn::MulAdd(value, w[v], sum[p][v]);
      }
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

  HWY_INLINE int64_t first_of_greatest() const {
    const Floats d;
    const Indices di;
    const auto none = hn::Set(di, std::numeric_limits<int32_t>::max());
    const auto wins = hn::Eq(best, hn::MaxOfLanes(d, best));
    return hn::GetLane(hn::MinOfLanes(di, hn::IfThenElse(hn::RebindMask(di, wins), level, none)));
  }
};

// A^T m + bias of one patch, held against the leaders of its pixels. `products`:
// [kLevelPoints][kPatchesAtOnce][group] at the patch. best, second, index: at the patch's first
// pixel.
HWY_INLINE void sum_products(const float* products, const float* bias, int64_t first_level,
                             float* best, float* second, int32_t* index) {
  const Floats d;
  const Indices di;
  const int64_t width = lanes();
  Leader leader[kPatchPixels];
  Vector runner[kPatchPixels];
#pragma GCC unroll 4
  for (int64_t p = 0; p < kPatchPixels; ++p) {
    leader[p].best = hn::LoadU(d, best + p * width);
    leader[p].level = hn::LoadU(di, index + p * width);
    runner[p] = hn::LoadU(d, second + p * width);
  }
  const auto two = hn::Set(d, 2), four = hn::Set(d, 4), eight = hn::Set(d, 8);
  for (int v = 0; v < kVectors; ++v) {
    const auto load = [&](int64_t i) HWY_ATTR {
      return hn::LoadU(d, products + (i * kPatchesAtOnce * kVectors + v) * width);
    };
    const Vector m1 = load(1), m2 = load(2), m3 = load(3), m4 = load(4);
    const auto start = hn::LoadU(d, bias + v * width);
    const auto sum1 = hn::Add(hn::Add(m1, m2), start), sum2 = hn::Add(m3, m4);
    const auto odd1 = hn::Add(hn::Sub(m1, m2), start), odd2 = hn::Sub(m3, m4);
    const Vector logits[kPatchPixels] = {hn::Add(hn::Add(sum1, sum2), load(0)),
                                         hn::MulAdd(two, odd2, odd1), hn::MulAdd(four, sum2, sum1),
                                         hn::Add(hn::MulAdd(eight, odd2, odd1), load(5))};
#pragma GCC unroll 4
    for (int64_t p = 0; p < kPatchPixels; ++p) {
      runner[p] = hn::Max(runner[p], hn::Min(logits[p], leader[p].best));
      leader[p].add(logits[p], first_level + v * width);
    }
  }
#pragma GCC unroll 4
  for (int64_t p = 0; p < kPatchPixels; ++p) {
    hn::StoreU(leader[p].best, d, best + p * width);
    hn::StoreU(leader[p].level, di, index + p * width);
    hn::StoreU(runner[p], d, second + p * width);
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
  return leader.first_of_greatest();
}

// The products of `count` patches for one group of levels and all points.
void multiply_patches(const LevelKernel& kernel, int64_t level,
                      const std::array<const float*, 3>& lines, int64_t patches, int64_t first,
                      int64_t count, float* products) {
  const int64_t channels = kernel.channels;
  for (int64_t point = 0; point < kLevelPoints; ++point) {
    const float* weight =
        kernel.transform + (level * kLevelPoints + point * group()) * 3 * channels;
    float* out = products + point * kPatchesAtOnce * group();
    std::array<const float*, 3> in;
    const auto at = [&](int64_t patch) HWY_ATTR {
      for (size_t i = 0; i < 3; ++i) in[i] = lines[i] + (point * patches + patch) * channels;
      return in;
    };
    int64_t patch = 0;
    for (; patch + kPatches <= count; patch += kPatches) {
      multiply<kPatches>(weight, at(first + patch), channels, out + patch * group());
    }
    // The last tile computes some patches twice.
    if (patch < count && count >= kPatches) {
      patch = count - kPatches;
      multiply<kPatches>(weight, at(first + patch), channels, out + patch * group());
      patch = count;
    }
    for (; patch < count; ++patch) {
      multiply<1>(weight, at(first + patch), channels, out + patch * group());
    }
  }
}

void lines(const LevelKernel& kernel, const LevelMap& map, int64_t begin, int64_t end,
           LevelWorkspace& workspace, int64_t* levels) {
  const Floats d;
  const Indices di;
  const int64_t channels = kernel.channels;
  const int64_t patches = patches_of(map.width);
  const int64_t line_size = kLevelPoints * patches * channels;
  const auto pixels = static_cast<size_t>(patches * kPatchPixels * lanes());
  workspace.lines.resize(static_cast<size_t>((end - begin + 2) * line_size));
  workspace.products.resize(static_cast<size_t>(kLevelPoints * kPatchesAtOnce * group()));
  workspace.index.resize(pixels);
  const std::vector<float> zeros(static_cast<size_t>(channels), 0.F);
  float greatest = 0;
  for (int64_t y = begin - 1; y <= end; ++y) {
    float* line = workspace.lines.data() + (y - begin + 1) * line_size;
    greatest = std::max(greatest, transform_line(map, y, channels, zeros.data(), line));
  }
  const float margin = kRounding * kernel.weight_size * greatest;
  for (int64_t y = begin; y < end; ++y) {
    const float* line = workspace.lines.data() + (y - begin) * line_size;
    const std::array<const float*, 3> three{line, line + line_size, line + 2 * line_size};
    workspace.best.assign(pixels, -std::numeric_limits<float>::infinity());
    workspace.second.assign(pixels, -std::numeric_limits<float>::infinity());
    for (int64_t level = 0; level < kernel.padded_levels; level += group()) {
      for (int64_t first = 0; first < patches; first += kPatchesAtOnce) {
        const int64_t count = std::min(kPatchesAtOnce, patches - first);
        multiply_patches(kernel, level, three, patches, first, count, workspace.products.data());
        for (int64_t patch = 0; patch < count; ++patch) {
          const int64_t pixel = (first + patch) * kPatchPixels * lanes();
          sum_products(workspace.products.data() + patch * group(), kernel.bias + level, level,
                       workspace.best.data() + pixel, workspace.second.data() + pixel,
                       workspace.index.data() + pixel);
        }
      }
    }
    for (int64_t x = 0; x < map.width; ++x) {
      const Leader leader{hn::LoadU(d, workspace.best.data() + x * lanes()),
                          hn::LoadU(di, workspace.index.data() + x * lanes())};
      const auto wins = hn::Eq(leader.best, hn::MaxOfLanes(d, leader.best));
      const auto others =
          hn::IfThenElse(wins, hn::LoadU(d, workspace.second.data() + x * lanes()), leader.best);
      const float gap =
          hn::GetLane(hn::Sub(hn::MaxOfLanes(d, leader.best), hn::MaxOfLanes(d, others)));
      const bool clear = hn::CountTrue(d, wins) == 1 && gap > margin;
      levels[(y - begin) * map.width + x] =
          clear ? leader.first_of_greatest() : direct_level(kernel, map, y, x);
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
