#pragma once

#include <vector>

#include "dualdepth/config/contract.h"
#include "dualdepth/quantize/calibration.h"
#include "dualdepth/quantize/plan_scales.h"
#include "dualdepth/quantize/quantize_options.h"

namespace dualdepth::quantize {

// A plan and what it was made from, so that others of the same reference can be made of it.
struct PlanChoice {
  Plan plan;
  Calibration statistics;  // of the plan's reference on all calibration pictures
  ScaleOptions scales;
  std::vector<Stage> stages;  // the trials
};

// Tries centring, equalization and the ranges of the head's winners one after the other, and keeps
// each where it brings depth nearer to float's on options.judged_pictures of the pictures, with
// filters rounded to nearest. Trials have scales of these pictures; the plan's own scales are of
// all. The float network is only read.
//
// network: float, with outputs `level` and `fraction`, or `depth`. Throws Error when it is
// quantized already, a convolution's name is not in it, the target does not allow what the options
// ask for, or calibrate() throws.
PlanChoice choose_plan(const graph::Graph& network, const Contract& contract,
                       const Pictures& pictures, const QuantizeOptions& options);

}  // namespace dualdepth::quantize
