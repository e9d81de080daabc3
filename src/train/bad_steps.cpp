#include "dualdepth/train/bad_steps.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/base/log.h"

namespace dualdepth {

void note_outcome(const StepResult& result, std::span<const Batch> batches, const RunConfig& config,
                  RunPosition& position) {
  if (result.outcome == StepOutcome::kUpdated) position.skipped_in_row = 0;
  if (result.outcome != StepOutcome::kNotFinite) return;
  ++position.skipped_steps;
  ++position.skipped_in_row;
  std::vector<std::string> ids;
  for (const Batch& batch : batches) ids.insert(ids.end(), batch.ids.begin(), batch.ids.end());
  spdlog::warn("step {} skipped: its loss or gradient is not finite; samples: {}", position.step,
               fmt::join(ids, ", "));
  if (position.skipped_in_row < config.trainer.max_bad_steps) return;
  throw Error({.subject = config.output_dir,
               .expected = "finite losses and gradients",
               .got = fmt::format("{} steps in a row that are not, up to step {}",
                                  position.skipped_in_row, position.step),
               .fix = "lower optimizer.lr or set trainer.clip_norm; earlier checkpoints are kept"});
}

}  // namespace dualdepth
