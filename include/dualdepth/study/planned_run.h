#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dualdepth/config/run_config.h"
#include "dualdepth/study/study_config.h"

namespace dualdepth::study {

// One training of a study: a variant on a data set from a seed.
struct PlannedRun {
  std::string variant;
  std::string data;
  int64_t seed = 0;
  RunConfig config;              // of the training; output_dir is folder / "train"
  std::filesystem::path folder;  // OUT/runs/VARIANT/DATA/seed_N

  std::string id() const;  // "VARIANT/DATA/seed_N"
};

// Where a data set that the study renders lies: OUT/data/NAME.
std::filesystem::path rendered_folder(const std::filesystem::path& out, const StudyData& data);

// All runs of a study whose results lie in `out`, in the order in which they are done: all variants
// and data sets from the first seed, then from the next one, so that a table is complete early. A
// run's configuration is that of its data's base, with the paths of what the study renders, the
// data's overrides, the variant's overrides, and the seed, the last of a key winning.
//
// Throws ConfigError with all problems, a line each: a base that cannot be read, and keys that do
// not fit together (RunConfig::problems(), no training or validation split), naming variant and
// data.
std::vector<PlannedRun> plan_runs(const StudyConfig& study, const std::filesystem::path& out);

// Those of these variants; all of them without a name. Throws Error with the nearest name for one
// that the study does not have.
std::vector<PlannedRun> runs_of_variants(const StudyConfig& study,
                                         const std::vector<PlannedRun>& runs,
                                         const std::vector<std::string>& names);

}  // namespace dualdepth::study
