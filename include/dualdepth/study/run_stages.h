#pragma once

#include <filesystem>

namespace dualdepth::study {

enum class RunOutcome {
  kDone,
  kInterrupted  // by SIGINT or SIGTERM while it trained; the next attempt resumes
};

// Does the stages of one run that are not done, as its folder says (study/study_folder.h): trains,
// exports the checkpoint, quantizes it, and evaluates all files on the same validation pictures. A
// training that was interrupted goes on from its last checkpoint. The result of each stage is
// written once it is done. threads: of the CPU's computation; 0: the configuration's own.
//
// Throws Error naming the folder when it is none of a study's, when another process works in it,
// or when the training fails. When a file cannot be exported or quantized, the others are still
// made and evaluated, and then Error is thrown.
RunOutcome do_run(const std::filesystem::path& run_folder, int threads);

}  // namespace dualdepth::study
