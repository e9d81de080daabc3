#pragma once

#include <cstdint>

#include "dualdepth/config/train_options.h"

namespace dualdepth {

// How long a run is, in optimiser steps.
struct RunLength {
  int64_t total_steps = 1;
  int64_t steps_per_epoch = 1;
};

// The learning rate of optimiser step `step` (0-based) as a share of the peak. A pure function of
// the step, so that a resumed run needs no more than its step. With t = (step - w) / (total - w)
// for w = warmup_steps, clamped to [0, 1], and f = final_scale:
//
//   constant     1
//   step         gamma^(number of milestones m with step >= m * steps_per_epoch)
//   cosine       f + (1 - f) * (1 + cos(pi t)) / 2
//   polynomial   f + (1 - f) * (1 - t)^power
//   one_cycle    a cosine from 1/25 up to 1 over the first warmup_share of the steps, then a cosine
//                down to f at the last step (Smith, Topin, "Super-Convergence", 2019; the same
//                numbers as torch.optim.lr_scheduler.OneCycleLR)
//
// All but one_cycle are multiplied by (step + 1) / w while step < w.
double learning_rate_scale(const ScheduleOptions& options, const RunLength& length, int64_t step);

}  // namespace dualdepth
