#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dualdepth/study/planned_run.h"

namespace dualdepth::study {

// Estimates how long the runs that are left will take: for each of their stages that is not done,
// the mean time of that stage in the runs on the same data that are, by the results in their
// folders.
class TimeLeft {
 public:
  // `runs` outlive it.
  TimeLeft(const std::vector<PlannedRun>& runs, const JudgeOptions& judge)
      : runs_(runs), judge_(judge) {}

  // Seconds with so many runs at a time; nothing while a stage that is left has never been done on
  // its data.
  std::optional<double> seconds(size_t jobs);

  // ", about 1:20:00 to go"; empty while it is not known.
  std::string text(size_t jobs);

 private:
  std::optional<double> seconds_of(const PlannedRun& run, const std::string& stage);

  const std::vector<PlannedRun>& runs_;
  JudgeOptions judge_;
  std::map<std::string, double> seconds_;  // by run and stage
};

}  // namespace dualdepth::study
