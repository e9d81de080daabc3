#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "dualdepth/study/study_result.h"

namespace dualdepth::study {

// Returns the table for a terminal: for each data set a row for each variant with abs_rel, rmse and
// d1 in float and abs_rel in 8 bits, +- the interval over seeds; then the runs that failed.
std::string study_table(const StudyResult& result);

// Returns study.json:
//
//   {"study", "reference", "seeds", "judge",
//    "variants": [{"name", "seed", "data",
//                  "float": {metric: number, ...}, "float_as_written", "int8",
//                  "int8_per_channel", ..., "error": text}],
//    "summary": [{"name", "data", "runs", "done", "cost": {...},
//                 "files": {NAME: {"metrics": {metric: {"mean", "seeds_95": [low, high],
//                                                       "pictures_95": [low, high]}},
//                                  "difference": the same against the reference,
//                                  "mean_mm", "median_mm", "within_1_25",
//                                  "bins": {range: {"abs_rel", "mae_m", "moved_mm"}},
//                                  "ms_per_picture", "bytes"}},
//                 "promised": {range: {"level_step_m", "worst_round_trip_m"}}}]}
//
// "variants" has an entry for each run. The files are those of judged_names(); "int8" is
// int8_name(), the strictest of them. A file in 8 bits has "mean_mm", "median_mm", "within_1_25"
// and "within_1_05" of its difference from float beside its metrics. What is not known, because a
// run failed or is not done, is left out, and so is a number that is not finite.
nlohmann::ordered_json study_json(const StudyResult& result);

}  // namespace dualdepth::study
