#pragma once

#include <cstdint>
#include <vector>

#include "dualdepth/config/codec_options.h"

namespace dualdepth {

// What one level covers; all in metres.
struct LevelPrecision {
  int64_t level = 0;
  double from = 0;              // nearest depth that encodes to this level
  double centre = 0;            // DepthCodec::level_depths()
  double to = 0;                // farthest depth that encodes to this level
  double fraction_step = 0;     // mean change of depth from one 8-bit fraction code to the next
  double worst_round_trip = 0;  // largest |decode(8 bits(encode(d))) - d| in this level

  double step() const { return to - from; }
};

// How finely a codec can say depth when each head is carried in 8 bits: the level as a code of its
// own (`continuous`: the sigmoid as k/255), the fraction as k/255.
struct PrecisionTable {
  std::vector<LevelPrecision> levels;  // all K; levels that no depth in [m, M] encodes to are left
                                       // out (rounded with m > 0)
  double level_step = 0;               // m, mean distance of neighbouring centres
  double fraction_step = 0;            // m, mean over levels
  int64_t codes = 0;                   // pairs of level and 8-bit fraction: 256 K
  double fraction_codes_used = 0;      // of 255: how many fraction steps a level's width takes
  double worst_round_trip = 0;         // m, over all depths in [m, M]
  double worst_depth = 0;              // m, the nearest depth at which it happens (to 1e-6 of it)
};

// Measured with DepthCodec itself at the ends of each level and on both sides of each tie between
// two neighbouring fraction codes. For reflected and step over the linear axis worst_round_trip is
// (M-m)/K/510; for rounded M/(2(K-1)), because a sigmoid cannot say the negative half of residuals.
PrecisionTable precision_table(const CodecOptions& options);

}  // namespace dualdepth
