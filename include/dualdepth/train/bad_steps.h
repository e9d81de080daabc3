#pragma once

#include <span>

#include "dualdepth/config/run_config.h"
#include "dualdepth/data/batch.h"
#include "dualdepth/train/checkpoint.h"
#include "dualdepth/train/train_step.h"

namespace dualdepth {

// Counts in `position` a step that was not finite and logs which samples it saw. Throws Error after
// trainer.max_bad_steps of them in a row. Call after position.step has counted the step.
void note_outcome(const StepResult& result, std::span<const Batch> batches, const RunConfig& config,
                  RunPosition& position);

}  // namespace dualdepth
