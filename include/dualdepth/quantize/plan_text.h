#pragma once

#include <string>

#include "dualdepth/quantize/plan.h"

namespace dualdepth::quantize {

// The plan as a table for people: what it is for, what is done to the head, then a line for each
// value (scale, zero point, bits, the range that its codes cover) and for each convolution (bits,
// number of scales, the least and the greatest).
std::string plan_text(const Plan& plan);

// What differs between two plans, a line each; empty for equal plans. Of a value the ends of its
// range, in codes of the first plan,
//
//   (low2 - low1) / scale1, (high2 - high1) / scale1
//
// of a convolution's filters the greatest difference of what the last code stands for, in codes of
// the first plan,
//
//   max over filters of (2^(bits - 1) - 1) |scale2 - scale1| / scale1
//
// and of the head's shift and the factors of equalization the numbers themselves.
std::string plan_differences(const Plan& first, const Plan& second);

}  // namespace dualdepth::quantize
