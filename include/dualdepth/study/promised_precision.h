#pragma once

#include <string>
#include <vector>

#include "dualdepth/config/model_options.h"
#include "dualdepth/metrics/protocol.h"

namespace dualdepth::study {

// What a codec promises for a range of depth when each head is carried in 8 bits: the coarsest of
// its levels that lie in the range, all in metres. A range that the codec does not reach is left
// out.
struct PromisedPrecision {
  std::string name;  // RangeBin::name()
  double level_step = 0;
  double worst_round_trip = 0;  // |decode(8 bits(encode(d))) - d|
};

// By codec/precision_table.h. Of a network with one sigmoid a byte for min_depth..max_depth: a step
// of (M - m) / 255, half of it at worst. Of a cumulative head the codes of its group sums: of
// groups of n thresholds n / 510 of a level at worst. Of a Hilbert pair nothing: what a code is
// worth depends on where the curve comes near itself.
std::vector<PromisedPrecision> promised_precision(const ModelOptions& model,
                                                  const std::vector<RangeBin>& bins);

}  // namespace dualdepth::study
