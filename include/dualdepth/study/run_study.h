#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "dualdepth/study/planned_run.h"

namespace dualdepth::study {

// How many runs are done at the same time and with what.
struct WorkOptions {
  std::filesystem::path program;  // the dualdepth that does a run: PROGRAM study --run FOLDER
  int jobs = 0;                   // see job_slots()
};

// A run that failed, and why: the last error that it printed.
struct FailedRun {
  std::string id;
  std::string error;
};

struct StudyProgress {
  std::vector<FailedRun> failed = {};
  bool was_interrupted = false;  // by SIGINT or SIGTERM
};

// Called after each run that ends, done or not.
using AfterRun = std::function<void()>;

// Does all stages of all runs that are not done, several runs at a time, each in a process of its
// own, so that a run that fails, runs out of memory or is killed does not stop the others. Runs of
// several jobs share the cores, and each sees one GPU, in turn. The processes end when this one
// does, however it ends; what they had finished is kept. Logs which run begins which stage, how
// many runs are left and about how long they will take, by the time that stages took so far.
//
// SIGINT or SIGTERM ends it in order: a training writes a checkpoint first. Throws Error when
// nothing can be written to `out` any more, such as on a full disk: the runs at work are stopped,
// and the same call goes on once there is room. `out` is a folder that bind_folder() has made.
StudyProgress run_study(const std::filesystem::path& out, const std::vector<PlannedRun>& runs,
                        const JudgeOptions& judge, const WorkOptions& options,
                        const AfterRun& after_run = {});

}  // namespace dualdepth::study
