#include "dualdepth/study/promised_precision.h"

#include <algorithm>

#include "dualdepth/codec/precision_table.h"
#include "dualdepth/codec/threshold_codec.h"

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

std::vector<PromisedPrecision> of_levels(const CodecOptions& codec,
                                         const std::vector<RangeBin>& bins) {
  const PrecisionTable table = precision_table(codec);
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

// Of one depth all thresholds but one are 0 or 1, which a code holds: the sum of its group is off
// by half a code at most.
std::vector<PromisedPrecision> of_thresholds(const CodecOptions& codec,
                                             const std::vector<RangeBin>& bins) {
  auto promised = of_levels(codec, bins);
  const auto in_group = codec.n_integer_levels / position_groups(codec.n_integer_levels, 0);
  for (PromisedPrecision& row : promised) {
    row.worst_round_trip = row.level_step * static_cast<double>(in_group) / 510;
  }
  return promised;
}

}  // namespace

std::vector<PromisedPrecision> promised_precision(const ModelOptions& model,
                                                  const std::vector<RangeBin>& bins) {
  const CodecOptions& codec = model.params.codec;
  switch (model.head_kind()) {
    case HeadKind::kSigmoid:
      return of_one_sigmoid(codec, bins);
    case HeadKind::kCumulative:
      return of_thresholds(codec, bins);
    case HeadKind::kHilbert:
      return {};
    case HeadKind::kCategorical:
      break;
  }
  return of_levels(codec, bins);
}

}  // namespace dualdepth::study
