#include "dualdepth/study/promised_precision.h"

#include <algorithm>

#include "dualdepth/codec/precision_table.h"

namespace dualdepth::study {
namespace {

bool overlap(double from, double to, const RangeBin& bin) {
  return from < bin.high && to > bin.low;
}

std::vector<PromisedPrecision> of_one_sigmoid(const CodecOptions& range,
                                              const std::vector<RangeBin>& bins) {
  std::vector<PromisedPrecision> promised;
  const double step = (range.max_depth - range.min_depth) / 255;
  for (const RangeBin& bin : bins) {
    if (!overlap(range.min_depth, range.max_depth, bin)) continue;
    promised.push_back({.name = bin.name(), .level_step = step, .worst_round_trip = step / 2});
  }
  return promised;
}

}  // namespace

std::vector<PromisedPrecision> promised_precision(const ModelParams& params,
                                                  const std::vector<RangeBin>& bins) {
  if (!params.use_dual_head) return of_one_sigmoid(params.codec, bins);
  const PrecisionTable table = precision_table(params.codec);
  std::vector<PromisedPrecision> promised;
  for (const RangeBin& bin : bins) {
    PromisedPrecision row{.name = bin.name()};
    for (const LevelPrecision& level : table.levels) {
      if (!overlap(level.from, level.to, bin)) continue;
      row.level_step = std::max(row.level_step, level.step());
      row.worst_round_trip = std::max(row.worst_round_trip, level.worst_round_trip);
    }
    if (row.level_step > 0) promised.push_back(row);
  }
  return promised;
}

}  // namespace dualdepth::study
