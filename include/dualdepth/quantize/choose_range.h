#pragma once

#include "dualdepth/config/quantize_options.h"
#include "dualdepth/graph/graph.h"
#include "dualdepth/quantize/histogram.h"

namespace dualdepth::quantize {

// The ends of a grid of 256 steps for values of this distribution:
//
//   minmax      all that was seen
//   percentile  0.01 % of the values left out on each side that has any
//   mse         least mean square of x - q(x), clipped values included
//   entropy     least Kullback-Leibler divergence of the distribution after clipping from what 256
//               steps can say of it (Migacz, 8-bit Inference with TensorRT, 2017)
//
// mse and entropy try ends from 0.3 to 1 of what was seen, low and high apart (mse) or together
// (entropy). The result always holds 0.
ValueRange choose_range(const Histogram& histogram, RangeMethod method);

// The range as a grid: scale s, zero point z such that 0 is exactly on it.
//
//   unsigned  s = (high - low) / 255, z = round(-low / s)
//   signed    s = max(-low, high) / 127, z = 0                                  (is_symmetric)
graph::FakeQuantize to_grid(const ValueRange& range, bool is_symmetric);

// What lies on the grid's ends.
ValueRange range_of(const graph::FakeQuantize& grid);

}  // namespace dualdepth::quantize
