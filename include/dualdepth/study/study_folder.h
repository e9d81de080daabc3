#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "dualdepth/study/planned_run.h"

// The folder of a study on disk:
//
//   OUT/study_settings.json   what all runs share; binds the folder to its study
//   OUT/data/NAME/            data sets that the study renders
//   OUT/runs/VARIANT/DATA/seed_N/
//     run.json                variant, data, seed and how the run is evaluated
//     config.yaml             the run's configuration
//     log.txt                 what the run logged
//     train/                  the training's own folder (train/trainer.h)
//     float.onnx, int8_per_channel.onnx, int8_per_tensor.onnx
//     stages/NAME.json        the result of each stage that is done
//     error.txt               why the last attempt failed
//   OUT/study.json, OUT/study.html
//
// All files appear whole or not at all, so that a study that was killed at any moment goes on from
// the stages that are done.
namespace dualdepth::study {

// The stages of one run, in their order: training; export to ONNX; one file in 8 bits for each of
// judge.weights; the evaluation of all files.
std::vector<std::string> stages_of(const JudgeOptions& judge);

inline constexpr const char* kTrainStage = "train";
inline constexpr const char* kExportStage = "export";
inline constexpr const char* kJudgeStage = "judge";

// "int8_per_channel" or "int8_per_tensor": the stage, the file without extension, and what the
// reports call it.
std::string quantize_stage(WeightGranularity weights);

std::filesystem::path stage_file(const std::filesystem::path& run_folder, const std::string& stage);

// The stage's result; nothing before it is done. Throws Error naming a file that is not JSON.
std::optional<nlohmann::json> stage_result(const std::filesystem::path& run_folder,
                                           const std::string& stage);

// Whether the stage has its result, and that of all files where it is the evaluation.
bool stage_is_done(const std::filesystem::path& run_folder, const std::string& stage);

// The checkpoint of a trained run that is exported and evaluated.
std::filesystem::path judged_checkpoint(const std::filesystem::path& run_folder,
                                        const JudgeOptions& judge);

// Throws Error when `out` is no folder for this study: when it holds something else than a study,
// or results of other settings (names of the variants and keys that differ are listed), or none of
// these runs but others. Variants, seeds and data sets may be added to a study, and runs that have
// not begun to train may change; so may keys that say how a run computes and not what: threads,
// device, data.workers, data.prefetch, data.cache.
void expect_folder(const std::filesystem::path& out, const StudyConfig& study,
                   const std::vector<PlannedRun>& runs);

// Binds `out` to a study: expects it as above, makes the folder, and writes study_settings.json
// and, for each run, run.json and config.yaml.
void bind_folder(const std::filesystem::path& out, const StudyConfig& study,
                 const std::vector<PlannedRun>& runs);

// What a run's own folder says, for the process that does it. Throws Error naming the folder when
// it is none of a study's.
struct RunTask {
  PlannedRun run;
  JudgeOptions judge;
};
RunTask read_task(const std::filesystem::path& run_folder);

// Why the last attempt of a run failed; nothing when it did not.
std::optional<std::string> last_error(const std::filesystem::path& run_folder);

// Notes it, or removes the note when `error` is empty. A disk that is full is no further error.
void note_error(const std::filesystem::path& run_folder, const std::string& error);

}  // namespace dualdepth::study
