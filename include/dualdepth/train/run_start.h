#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "dualdepth/config/run_config.h"

namespace dualdepth {

// The resolved configuration in a run's folder.
inline constexpr const char* kRunConfigFile = "config.yaml";

// How a run begins: afresh, or from a checkpoint.
struct RunStart {
  RunConfig config;  // output_dir is the run's folder
  std::optional<std::filesystem::path> checkpoint;
};

// A new run of FILE with overrides. Throws Error when output_dir already holds a run.
RunStart start_fresh(const std::filesystem::path& config_file,
                     std::span<const std::string> overrides);

// Goes on with the run in folder `resume` from its last checkpoint, or from the checkpoint file
// `resume`. The configuration is the checkpoint's, or that of `config_file` where one is given,
// with overrides. The run's folder stays the same unless an override output_dir=DIR names another.
// A run that was killed before its first checkpoint begins again from its start.
//
// Throws Error when there is no run, when the folder that output_dir names holds another one, and
// when keys differ that the state depends on: those of model, optimizer.type, whether
// trainer.ema_decay is 0, seed, data.batch_size and trainer.accumulate. All of them are listed at
// once. Other differences (more steps, another learning rate) are logged and used.
RunStart resume_run(const std::filesystem::path& resume,
                    const std::optional<std::filesystem::path>& config_file,
                    std::span<const std::string> overrides);

}  // namespace dualdepth
