#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "dualdepth/train/checkpoint.h"
#include "dualdepth/train/run_start.h"

namespace dualdepth {

enum class RunEnd {
  kFinished,      // all steps taken
  kStoppedEarly,  // early_stop_patience validations without a new best
  kInterrupted,   // by SIGINT or SIGTERM
  kWasFinished,   // before it was resumed: nothing was done
};

struct TrainResult {
  RunEnd end = RunEnd::kFinished;
  int64_t step = 0;
  std::optional<ScoredStep> best;    // nothing without validation
  std::filesystem::path checkpoint;  // of the last step
};

// Trains to the end and writes below config.output_dir:
//
//   config.yaml     the resolved configuration
//   log.txt         what was logged
//   metrics.jsonl   one JSON object a line (metrics_log.h)
//   events/         for TensorBoard (event_file.h)
//   checkpoints/    (checkpoint_files.h)
//
// On the CPU a run is a function of its configuration and its thread count: killed at any moment
// and resumed, it ends with the same bytes in weights and optimiser as if it had not been. SIGINT
// or SIGTERM ends it after the step at hand, with a checkpoint. Without data.val_split nothing is
// validated and there is no best checkpoint.
//
// Throws Error, before it writes anything, for faults of configuration and data, such as no pixel
// with depth in range in the whole training split. Throws Error after trainer.max_bad_steps steps
// in a row whose loss or gradient is not finite; the checkpoints stay as they are.
TrainResult train(const RunStart& start);

}  // namespace dualdepth
