#pragma once

#include "dualdepth/config/quantize_options.h"
#include "dualdepth/graph/graph.h"
#include "dualdepth/quantize/histogram.h"

namespace dualdepth::quantize {

// How a target stores values: codes of a scale.
struct ValueFormat {
  bool is_symmetric = false;            // signed with zero point 0; otherwise unsigned with a zero
                                        //   point
  bool has_power_of_two_scale = false;  // scales that a chip applies as a shift
  int64_t bits = 8;                     // 8 or 16

  bool operator==(const ValueFormat&) const = default;
};

// Returns the range that the codes are to cover, for values of this distribution:
//
//   minmax      all that was seen
//   percentile  0.01 % of the values left out on each side that has any
//   mse         least mean square of x - q(x), clipped values included, with the scale and zero
//               point that `format` gives the range
//   entropy     least Kullback-Leibler divergence of the distribution after clipping from the same
//               in codes (Migacz, 8-bit Inference with TensorRT, 2017)
//
// mse and entropy try ends from 0.3 to 1 of what was seen: low and high separately (mse), together
// (entropy), or the greater of both where the format is symmetric. The result always holds 0.
ValueRange choose_range(const Histogram& histogram, RangeMethod method,
                        const ValueFormat& format = {});

// The scale s and zero point z that cover a range, such that 0 is exactly a code:
//
//   unsigned   s = (high - low) / (2^bits - 1), z = round(-low / s)
//   symmetric  s = max(-low, high) / (2^(bits - 1) - 1), z = 0
//
// A power-of-two scale is the next greater one.
graph::FakeQuantize to_grid(const ValueRange& range, const ValueFormat& format);

// The scale that a target allows: at least 1e-8, that of a value that is always 0, and rounded up
// to a power of two on request.
double allowed_scale(double scale, bool power_of_two);

// The number of codes.
int64_t code_count(int64_t bits);

// The range that the codes of a scale and zero point cover.
ValueRange range_of(const graph::FakeQuantize& grid);

}  // namespace dualdepth::quantize
