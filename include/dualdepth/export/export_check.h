#pragma once

#include <cstdint>

#include "dualdepth/model/depth_net.h"
#include "dualdepth/runtime/exported_model.h"
#include "dualdepth/runtime/network_pictures.h"

namespace dualdepth {

inline constexpr double kDepthTolerance = 1e-3;  // m
inline constexpr double kNearTie = 1e-4;         // between the two best logits

// An exported file held against its checkpoint, pixel by pixel. A pixel agrees when its level is
// the same (where the file gives levels) and its depth differs by at most kDepthTolerance. One that
// does not is excused where the checkpoint's two best logits are less than kNearTie apart: there
// the order of a sum decides.
struct ExportCheck {
  int64_t pictures = 0;
  int64_t pixels = 0;
  int64_t near_ties = 0;       // pixels that are excused
  int64_t disagreements = 0;   // pixels that are not
  double worst_depth = 0;      // m, where pixels agree
  double worst_fraction = 0;   // where the file gives fractions
  double mean_difference = 0;  // m, over all pixels

  bool holds() const { return disagreements == 0; }
};

// net: the checkpoint's own, not one that was traced.
ExportCheck check_export(DepthNet& net, ExportedModel& exported, const graph::Pictures& pictures);

}  // namespace dualdepth
