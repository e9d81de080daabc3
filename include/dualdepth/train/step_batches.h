#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dualdepth/config/run_config.h"
#include "dualdepth/data/dataset.h"
#include "dualdepth/data/loader.h"
#include "dualdepth/train/checkpoint.h"
#include "dualdepth/train/schedule.h"

namespace dualdepth {

// Deals a loader's batches to optimiser steps: trainer.accumulate to each step (or all of an epoch
// that has fewer); what an epoch has left over is left out. The position in a checkpoint says where
// to go on.
class StepBatches {
 public:
  StepBatches(const std::shared_ptr<const Dataset>& dataset, const RunConfig& config,
              bool pin_memory);

  RunLength run_length(const TrainerOptions& options) const;

  // Before the first next(): begins at the position's epoch and batch.
  void start_at(const RunPosition& position);

  // The batches of one step, from the next epoch where this one is over. Moves epoch and batch of
  // the position on.
  std::vector<Batch> next(RunPosition& position);

  // Whether the epoch of the last step has no batches for another one.
  bool epoch_is_over(const RunPosition& position) const;

  double seconds_waited() const { return loader_.seconds_waited(); }

 private:
  Loader loader_;
  int64_t per_epoch_;
  int64_t per_step_;
};

// Throws Error when no pixel of the whole data set has a depth that the codec can say. Stops at the
// first sample that has one.
void require_trainable_pixel(const Dataset& dataset, const RunConfig& config);

}  // namespace dualdepth
