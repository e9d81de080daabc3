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

// Throws Error when there is no picture, or when the pictures show nothing: all pixels alike.
void expect_pictures(const Pictures& pictures);

// One pass over all pictures, into histograms that widen as they go. Each picture is computed on
// one thread, several at the same time; minima, maxima and whole numbers are all that is kept, so
// the result has the same bits with any number of threads and memory does not grow with the number
// of pictures. Of the integer head only each pixel's winner is counted.
//
// Throws Error when expect_pictures() does or a value is not finite.
Calibration calibrate(const graph::Graph& graph, const Placement& placement,
                      const Pictures& pictures, int threads);

// Range of the integer head's logits. Argmax depends only on which logit is greatest: losing ones
// may end at the bottom. In units of the winners' standard deviation s, since argmax does not
// change when all logits are multiplied by the same factor:
//
//   kWide    from the 0.1 % quantile - 2.5 s to the 99.9 % quantile + 1.25 s
//   kNarrow  from the 0.5 % quantile - 1.25 s to the 99 % quantile + 1.25 s: a finer scale for most
//            pixels, at the price of a few
//
// and never above the greatest winner seen, which is the top of method minmax. The bottom also lies
// 0.5 s below the least winner seen: a winner that is clipped would tie with all levels, so that
// ArgMax returns level 0, the nearest depth. The 0.5 s is for what 8 bits in front of the head
// change.
enum class WinnerRange { kWide, kNarrow };
inline constexpr double kWideBottom = 2.5;
inline constexpr double kNarrowBottom = 1.25;
inline constexpr double kLeastBottom = 0.5;
inline constexpr double kWinnerTop = 1.25;
ValueRange winner_range(const Histogram& winners, RangeMethod method, WinnerRange extent);

}  // namespace dualdepth::quantize
