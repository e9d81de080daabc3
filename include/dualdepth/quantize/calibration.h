#pragma once

#include <torch/types.h>

#include <cstddef>
#include <map>
#include <optional>

#include "dualdepth/config/quantize_options.h"
#include "dualdepth/graph/graph.h"
#include "dualdepth/graph/pictures.h"
#include "dualdepth/quantize/histogram.h"
#include "dualdepth/quantize/placement.h"

namespace dualdepth::quantize {

using graph::Pictures;

// What values a float graph takes on calibration pictures.
struct Calibration {
  std::map<graph::NodeId, Histogram> values;  // of each value with a grid
  std::optional<Histogram> winners;           // greatest logit of each pixel, of an integer head
};

// Two passes over all pictures: first their extremes, then histograms between these. Each picture
// is computed on one thread, several beside each other; minima, maxima and whole numbers are all
// that is kept, so the result has the same bits with any number of threads and memory does not
// grow with the number of pictures. Of the integer head only each pixel's winner is counted.
//
// Throws Error when there is no picture, a value is not finite, or the pictures show nothing: all
// pixels alike.
Calibration calibrate(const graph::Graph& graph, const Placement& placement,
                      const Pictures& pictures, int threads);

// How the integer head's logits are shifted and clipped. Argmax asks only which logit is greatest:
// losing ones may end at the grid's bottom. Bottom: a low quantile of the winning logit minus some
// room; top: a high quantile + kWinnerTop, or what method minmax says.
//
//   kWide    0.1 % - 1 and 99.9 %
//   kNarrow  0.5 % - 0.5 and 99 %: finer steps for most pixels, at the price of a few
enum class WinnerRange { kWide, kNarrow };
inline constexpr double kWinnerTop = 0.5;
ValueRange winner_range(const Histogram& winners, RangeMethod method, WinnerRange extent);

}  // namespace dualdepth::quantize
