#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "dualdepth/config/train_options.h"
#include "dualdepth/train/checkpoint.h"

namespace dualdepth {

// The names below DIR/checkpoints:
//
//   last.safetensors     the newest
//   best.safetensors     the best by trainer.monitor
//   best-N.safetensors   of step N, one of the keep_top_k best, where that is more than one
//   step-N.safetensors   of every keep_every-th step
class CheckpointFiles {
 public:
  explicit CheckpointFiles(const std::filesystem::path& run_folder)
      : folder_(run_folder / "checkpoints") {}

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path last() const { return folder_ / "last.safetensors"; }
  std::filesystem::path best() const { return folder_ / "best.safetensors"; }
  std::filesystem::path best_of_step(int64_t step) const;
  std::filesystem::path of_step(int64_t step) const;

  // What a save at `position` writes, `last` at the end: so the score that `last` holds was never
  // reached by a checkpoint that is not there.
  std::vector<std::filesystem::path> names_for(const RunPosition& position,
                                               const TrainerOptions& options) const;

  // Removes the best-N that position.best no longer names.
  void remove_outranked(const RunPosition& position) const;

 private:
  std::filesystem::path folder_;
};

// Notes a validation in `position`: in `best` if it is among the keep_top_k best (an equal value
// ranks behind an older one), and in the count of validations without a new best.
void note_score(RunPosition& position, const ScoredStep& scored, const TrainerOptions& options);

}  // namespace dualdepth
