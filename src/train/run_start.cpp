#include "dualdepth/train/run_start.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/base/log.h"
#include "dualdepth/runtime/checkpoint.h"
#include "dualdepth/train/checkpoint_files.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

// Where --resume points.
struct RunPlace {
  fs::path folder;
  std::optional<fs::path> checkpoint;
};

RunPlace find_run(const fs::path& resume) {
  if (fs::is_regular_file(resume)) {
    const fs::path folder = fs::absolute(resume).lexically_normal().parent_path();
    const bool in_run = folder.filename() == "checkpoints";
    return {.folder = in_run ? folder.parent_path() : folder, .checkpoint = resume};
  }
  const fs::path last = CheckpointFiles(resume).last();
  if (fs::is_regular_file(last)) return {.folder = resume, .checkpoint = last};
  if (fs::is_regular_file(resume / kRunConfigFile)) return {.folder = resume, .checkpoint = {}};
  throw Error({.subject = resume.string(),
               .expected = "the folder of a run, or a checkpoint",
               .got = fs::is_directory(resume) ? "a folder without config.yaml and checkpoints"
                                               : "no such file or folder",
               .fix = "start afresh without --resume"});
}

// A state of one value of such a key is of no use with another.
bool binds_state(const ConfigDifference& difference) {
  static constexpr std::string_view kKeys[] = {"optimizer.type", "seed", "trainer.accumulate",
                                               "data.batch_size"};
  if (difference.key == "trainer.ema_decay") {
    return (difference.first == "0") != (difference.second == "0");
  }
  static constexpr std::string_view kOfPrediction[] = {
      "model.pretrained", "model.head.level_smoothing", "model.head.slope", "model.head.quantile"};
  if (std::ranges::count(kOfPrediction, difference.key) > 0) return false;
  return difference.key.starts_with("model.") || std::ranges::count(kKeys, difference.key) > 0;
}

void compare_configs(const fs::path& checkpoint, const RunConfig& written, const RunConfig& asked) {
  std::vector<std::string> refused;
  for (const ConfigDifference& difference : config_differences(written, asked)) {
    if (binds_state(difference)) {
      refused.push_back(fmt::format("{}: expected {}, got {}", difference.key, difference.first,
                                    difference.second));
    } else if (difference.key != "output_dir") {
      spdlog::info("resumes with {}: {} instead of {}", difference.key, difference.second,
                   difference.first);
    }
  }
  if (refused.empty()) return;
  throw Error(
      fmt::format("{}: expected the configuration this checkpoint was made with, got {} "
                  "that differ; start a new run in another folder\n  {}",
                  checkpoint.string(), refused.size(), fmt::join(refused, "\n  ")));
}

void require_no_run(const fs::path& folder) {
  if (fs::exists(folder / kRunConfigFile) || fs::exists(CheckpointFiles(folder).last())) {
    throw Error({.subject = folder.string(),
                 .expected = "a folder without a run in it",
                 .got = "a run",
                 .fix = "go on with it by --resume " + folder.string() +
                        ", or choose another folder with output_dir=DIR"});
  }
}

}  // namespace

RunStart start_fresh(const fs::path& config_file, std::span<const std::string> overrides) {
  RunConfig config = load_run_config(config_file, overrides);
  require_no_run(config.output_dir);
  return {.config = std::move(config), .checkpoint = {}};
}

RunStart resume_run(const fs::path& resume, const std::optional<fs::path>& config_file,
                    std::span<const std::string> overrides) {
  const RunPlace place = find_run(resume);
  RunStart start{.config = {}, .checkpoint = place.checkpoint};
  const auto own_config = [&] {
    return place.checkpoint ? parse_run_config(to_yaml(open_checkpoint(*place.checkpoint).config),
                                               place.checkpoint->string(), overrides)
                            : load_run_config(place.folder / kRunConfigFile, overrides);
  };
  start.config = config_file ? load_run_config(*config_file, overrides) : own_config();
  const bool folder_is_named = std::ranges::any_of(
      overrides, [](const std::string& text) { return text.starts_with("output_dir="); });
  if (!folder_is_named) {
    start.config.output_dir = place.folder.string();
  } else if (fs::weakly_canonical(start.config.output_dir) != fs::weakly_canonical(place.folder)) {
    require_no_run(start.config.output_dir);
  }
  if (place.checkpoint) {
    compare_configs(*place.checkpoint, open_checkpoint(*place.checkpoint).config, start.config);
  } else {
    spdlog::warn("{} holds no checkpoint yet: begins from the start", resume.string());
  }
  return start;
}

}  // namespace dualdepth
