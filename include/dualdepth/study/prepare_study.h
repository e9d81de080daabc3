#pragma once

#include <filesystem>
#include <vector>

#include "dualdepth/study/planned_run.h"

// What a study does before its first run.
namespace dualdepth::study {

// Renders the data sets of a study that are not there yet, or are those of another render. Returns
// false when it was interrupted.
bool render_data(const StudyConfig& study, const std::filesystem::path& out);

// Throws Error naming each variant that cannot be exported for judge.profile
// (study/export_preflight.h), of those with a run that is not exported yet. Writes nothing.
void expect_exportable(const StudyConfig& study, const std::vector<PlannedRun>& runs);

}  // namespace dualdepth::study
