#pragma once

#include <string>
#include <vector>

#include "dualdepth/config/quantize_options.h"
#include "dualdepth/graph/graph.h"
#include "dualdepth/quantize/calibration.h"
#include "dualdepth/quantize/plan.h"

namespace dualdepth::quantize {

// How scales are chosen from what calibration showed.
struct ScaleOptions {
  RangeMethod ranges = RangeMethod::kMse;
  WinnerRange winners = WinnerRange::kWide;
  // Convolutions whose filters get 16 bits, and with them the values that are computed of theirs
  // alone, each where the target has them.
  std::vector<std::string> wide = {};

  bool operator==(const ScaleOptions&) const = default;
};

// The plan with the scales of all values and filters, and the head's shift, for its target, its
// float convolutions and its reference. Values that share a scale share the union of their ranges.
// They have the first number of bits that the target allows all of them.
//
// statistics: of the plan's reference, of at least the values that the plan quantizes; those of a
// plan with fewer convolutions in float do.
Plan with_scales(Plan plan, const graph::Graph& network, const Calibration& statistics,
                 const ScaleOptions& options);

// The plan with more convolutions in float, by name, without its scales.
Plan with_float(Plan plan, const std::vector<std::string>& convolutions);

}  // namespace dualdepth::quantize
