#include "dualdepth/study/time_left.h"

#include <fmt/format.h>

#include "dualdepth/base/progress.h"
#include "dualdepth/study/study_folder.h"

namespace dualdepth::study {
namespace {

struct Times {
  double seconds = 0;
  size_t done = 0;
  size_t left = 0;
};

}  // namespace

std::optional<double> TimeLeft::seconds_of(const PlannedRun& run, const std::string& stage) {
  const std::string key = run.id() + "/" + stage;
  const auto known = seconds_.find(key);
  if (known != seconds_.end()) return known->second;
  const auto result = stage_result(run.folder, stage);
  if (!result) return std::nullopt;
  return seconds_[key] = result->value("seconds", 0.0);
}

std::optional<double> TimeLeft::seconds(size_t jobs) {
  std::map<std::pair<std::string, std::string>, Times> times;  // by data and stage
  for (const PlannedRun& run : runs_) {
    for (const std::string& stage : stages_of(judge_)) {
      Times& one = times[{run.data, stage}];
      if (const auto seconds = seconds_of(run, stage)) {
        one.seconds += *seconds;
        ++one.done;
      } else {
        ++one.left;
      }
    }
  }
  double total = 0;
  for (const auto& [unused, one] : times) {
    if (one.left == 0) continue;
    if (one.done == 0) return std::nullopt;
    total += one.seconds / static_cast<double>(one.done) * static_cast<double>(one.left);
  }
  return total / static_cast<double>(jobs);
}

std::string TimeLeft::text(size_t jobs) {
  const auto left = seconds(jobs);
  return left ? fmt::format(", about {} to go", format_duration(*left)) : "";
}

}  // namespace dualdepth::study
