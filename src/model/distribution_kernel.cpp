#include "level_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/distribution_kernel.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
// After foreach_target.h.
#include <hwy/highway.h>

#include "level_patches.h"

HWY_BEFORE_NAMESPACE();
namespace dualdepth::HWY_NAMESPACE {

// (A^T m) A + bias of one patch: its logits of one group of levels. rows: [kSide][kLine][group];
// logits: at the patch's first pixel and the group's first level, [kSide][kSide][levels].
HWY_INLINE void store_logits(const float* rows, const float* bias, int64_t levels, float* logits) {
  const Floats d;
  const int64_t width = lanes();
  for (int64_t row = 0; row < kSide; ++row, logits += kSide * levels) {
    for (int v = 0; v < kVectors; ++v) {
      const auto load = [&](int64_t column) HWY_ATTR {
        return hn::LoadU(d, rows + ((kLine * row + column) * kVectors + v) * width);
      };
      const Inverse across(load(0), load(1), load(2), load(3), load(4), load(5));
      const auto start = hn::LoadU(d, bias + v * width);
      float* to = logits + v * width;
      hn::StoreU(hn::Add(across.at0(), start), d, to);
      hn::StoreU(hn::Add(across.at1(), start), d, to + levels);
      hn::StoreU(hn::Add(across.at2(), start), d, to + 2 * levels);
      hn::StoreU(hn::Add(across.at3(), start), d, to + 3 * levels);
    }
  }
}

HWY_INLINE float greatest_of(const float* logits, int64_t levels) {
  const Floats d;
  auto greatest = hn::LoadU(d, logits);
  for (int64_t k = lanes(); k < levels; k += lanes()) {
    greatest = hn::Max(greatest, hn::LoadU(d, logits + k));
  }
  return hn::GetLane(hn::MaxOfLanes(d, greatest));
}

// exp(logit - greatest) to 3e-6 of it, as 2^n 2^f with the Taylor series of 2^f for |f| <= 1/2; a
// third of the operations of Highway's, which is exact to the last bit. What lies below 2^-126, as
// the channels behind the last level do, counts as that.
HWY_INLINE Vector share(const Vector& logit, const Vector& greatest) {
  const Floats d;
  const hn::RebindToSigned<Floats> di;
  const auto log2_e = hn::Set(d, 1.44269504F);
  const auto x = hn::Max(hn::Mul(hn::Sub(logit, greatest), log2_e), hn::Set(d, -126.F));
  const auto whole = hn::Round(x);
  const auto f = hn::Sub(x, whole);
  auto power = hn::MulAdd(f, hn::Set(d, 1.33335581e-3F), hn::Set(d, 9.61812911e-3F));
  power = hn::MulAdd(power, f, hn::Set(d, 5.55041087e-2F));
  power = hn::MulAdd(power, f, hn::Set(d, 2.40226507e-1F));
  power = hn::MulAdd(power, f, hn::Set(d, 6.93147181e-1F));
  power = hn::MulAdd(power, f, hn::Set(d, 1.F));
  const auto exponent = hn::ShiftLeft<23>(hn::ConvertTo(di, whole));
  return hn::BitCast(d, hn::Add(hn::BitCast(di, power), exponent));
}

HWY_INLINE void means_of(const float* logits, int64_t levels, const LevelMeans& means, int64_t to) {
  const Floats d;
  const auto greatest = hn::Set(d, greatest_of(logits, levels));
  auto all = hn::Zero(d), first = hn::Zero(d), second = hn::Zero(d);
  for (int64_t k = 0; k < levels; k += lanes()) {
    const auto p = share(hn::LoadU(d, logits + k), greatest);
    all = hn::Add(all, p);
    first = hn::MulAdd(p, hn::LoadU(d, means.first_weights + k), first);
    second = hn::MulAdd(p, hn::LoadU(d, means.second_weights + k), second);
  }
  const float sum = hn::GetLane(hn::SumOfLanes(d, all));
  means.first[to] = hn::GetLane(hn::SumOfLanes(d, first)) / sum;
  means.second[to] = hn::GetLane(hn::SumOfLanes(d, second)) / sum;
}

// logits become shares.
HWY_INLINE int64_t median_of(float* logits, int64_t levels) {
  const Floats d;
  const auto greatest = hn::Set(d, greatest_of(logits, levels));
  auto all = hn::Zero(d);
  for (int64_t k = 0; k < levels; k += lanes()) {
    const auto p = share(hn::LoadU(d, logits + k), greatest);
    hn::StoreU(p, d, logits + k);
    all = hn::Add(all, p);
  }
  const float half = hn::GetLane(hn::SumOfLanes(d, all)) / 2;
  float before = 0;
  int64_t k = 0;
  for (; k + lanes() < levels; k += lanes()) {
    const float with = before + hn::GetLane(hn::SumOfLanes(d, hn::LoadU(d, logits + k)));
    if (with >= half) break;
    before = with;
  }
  for (; k + 1 < levels; ++k) {
    before += logits[k];
    if (before >= half) break;
  }
  return k;
}

// Calls use(logits, row, x) for each pixel, whose lines are counted from `begin`; logits: [K'].
template <class Use>
HWY_INLINE void for_each_distribution(const LevelFilters& filters, const LevelMap& map,
                                      int64_t begin, int64_t end, DistributionWorkspace& workspace,
                                      const Use& use) {
  const int64_t levels = filters.padded_levels;
  size_workspace(workspace.patches, filters.channels);
  workspace.logits.resize(static_cast<size_t>(kPatchesAtOnce * kSide * kSide * levels));
  float* logits = workspace.logits.data();
  for_each_tile(map, begin, end, [&](int64_t y, int64_t first, int64_t count) HWY_ATTR {
    transform_patches(map, y, first, count, filters.channels, workspace.patches.zeros.data(),
                      workspace.patches.inputs.data());
    for_each_group(filters, count, workspace.patches,
                   [&](int64_t patch, const float* rows, int64_t level) HWY_ATTR {
                     store_logits(rows, filters.bias + level, levels,
                                  logits + patch * kSide * kSide * levels + level);
                   });
    for_each_pixel(map, y, end, first, count, [&](int64_t place, int64_t row, int64_t x) HWY_ATTR {
      use(logits + place * levels, y - begin + row, x);
    });
  });
}

void means(const LevelFilters& filters, const LevelMap& map, int64_t begin, int64_t end,
           DistributionWorkspace& workspace, const LevelMeans& results) {
  for_each_distribution(filters, map, begin, end, workspace,
                        [&](const float* logits, int64_t row, int64_t x) HWY_ATTR {
                          means_of(logits, filters.padded_levels, results, row * map.width + x);
                        });
}

void medians(const LevelFilters& filters, const LevelMap& map, int64_t begin, int64_t end,
             DistributionWorkspace& workspace, int64_t* levels) {
  for_each_distribution(filters, map, begin, end, workspace,
                        [&](float* logits, int64_t row, int64_t x) HWY_ATTR {
                          levels[row * map.width + x] = median_of(logits, filters.padded_levels);
                        });
}

}  // namespace dualdepth::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dualdepth {

HWY_EXPORT(means);
HWY_EXPORT(medians);

void mean_lines(const LevelFilters& filters, const LevelMap& map, int64_t begin, int64_t end,
                DistributionWorkspace& workspace, const LevelMeans& means) {
  HWY_DYNAMIC_DISPATCH(means)(filters, map, begin, end, workspace, means);
}

void median_lines(const LevelFilters& filters, const LevelMap& map, int64_t begin, int64_t end,
                  DistributionWorkspace& workspace, int64_t* levels) {
  HWY_DYNAMIC_DISPATCH(medians)(filters, map, begin, end, workspace, levels);
}

}  // namespace dualdepth
#endif
