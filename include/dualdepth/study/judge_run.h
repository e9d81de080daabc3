#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "dualdepth/study/judged_file.h"
#include "dualdepth/study/planned_run.h"

namespace dualdepth::study {

// Evaluates all files of a run that are there, together on the same pictures of its validation
// split (judge.pictures of them), under its own protocol: {"complete": whether all files of
// judged_names() were there, "files": [JudgedFile, ...]}. LibTorch and OpenVINO compute on the CPU.
nlohmann::ordered_json judge_run(const PlannedRun& run, const JudgeOptions& judge);

// The files of that JSON. Throws Error naming the run's folder when it is another one.
std::vector<JudgedFile> judged_files(const PlannedRun& run, const nlohmann::json& result);

}  // namespace dualdepth::study
