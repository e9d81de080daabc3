#include "dualdepth/train/checkpoint_files.h"

#include <algorithm>
#include <set>
#include <string>

#include "dualdepth/metrics/depth_metrics.h"

namespace dualdepth {

namespace fs = std::filesystem;

fs::path CheckpointFiles::best_of_step(int64_t step) const {
  return folder_ / ("best-" + std::to_string(step) + ".safetensors");
}

fs::path CheckpointFiles::of_step(int64_t step) const {
  return folder_ / ("step-" + std::to_string(step) + ".safetensors");
}

std::vector<fs::path> CheckpointFiles::names_for(const RunPosition& position,
                                                 const TrainerOptions& options) const {
  std::vector<fs::path> names;
  const auto ranked = std::ranges::find(position.best, position.step, &ScoredStep::step);
  if (ranked != position.best.end()) {
    if (options.keep_top_k > 1) names.push_back(best_of_step(position.step));
    if (ranked == position.best.begin()) names.push_back(best());
  }
  if (options.keep_every > 0 && position.step > 0 && position.step % options.keep_every == 0) {
    names.push_back(of_step(position.step));
  }
  names.push_back(last());
  return names;
}

void CheckpointFiles::remove_outranked(const RunPosition& position) const {
  std::set<fs::path> kept;
  for (const ScoredStep& scored : position.best) kept.insert(best_of_step(scored.step));
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    const bool ranked = entry.path().filename().string().starts_with("best-");
    if (ranked && !kept.contains(entry.path())) fs::remove(entry.path(), ignored);
  }
}

void note_score(RunPosition& position, const ScoredStep& scored, const TrainerOptions& options) {
  const bool lower = lower_is_better(options.monitor);
  const auto ranks_before = [&](const ScoredStep& a, const ScoredStep& b) {
    return lower ? a.value < b.value : a.value > b.value;
  };
  auto& best = position.best;
  const auto place = best.insert(std::ranges::upper_bound(best, scored, ranks_before), scored);
  position.validations_since_best = place == best.begin() ? 0 : position.validations_since_best + 1;
  const auto kept = static_cast<size_t>(options.keep_top_k);
  if (best.size() > kept) best.resize(kept);
}

}  // namespace dualdepth
