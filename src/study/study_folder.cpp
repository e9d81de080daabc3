#include "dualdepth/study/study_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/config/field_reader.h"
#include "dualdepth/config/options_json.h"
#include "dualdepth/config/versioned_json.h"

namespace dualdepth::study {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kSettingsFile = "study_settings.json";
constexpr const char* kTaskFile = "run.json";
constexpr const char* kConfigFile = "config.yaml";
constexpr const char* kErrorFile = "error.txt";
constexpr int kFormatVersion = 1;
constexpr uintmax_t kMaxFileBytes = uintmax_t{1} << 28;

Json settings_of(const StudyConfig& study) {
  Json json{{"format_version", kFormatVersion},
            {"study", study.name},
            {"judge", options_json(study.judge)}};
  for (const StudyData& data : study.data) {
    if (data.render.frames > 0) json["rendered"][data.name] = options_json(data.render);
  }
  return json;
}

// The keys below `group` whose values differ; a key that one of them lacks does not.
void add_differences(const std::string& group, const Json& was, const Json& is,
                     std::vector<std::string>& lines) {
  for (const auto& [key, value] : is.items()) {
    if (!was.contains(key) || was[key] == value) continue;
    const std::string path = group.empty() ? key : fmt::format("{}.{}", group, key);
    if (value.is_object() && was[key].is_object()) {
      add_differences(path, was[key], value, lines);
    } else {
      lines.push_back(fmt::format("{} was {}, is {}", path, was[key].dump(), value.dump()));
    }
  }
}

// How a run computes, not what.
bool is_free(const std::string& key) {
  static constexpr std::string_view kKeys[] = {"output_dir",    "threads",       "device",
                                               "data.workers",  "data.prefetch", "data.cache",
                                               "data.cache_dir"};
  return std::ranges::count(kKeys, key) > 0;
}

// A run that has not begun to train may still change.
bool has_begun(const fs::path& run_folder) { return fs::exists(run_folder / "train"); }

bool any_has_begun(const fs::path& out) {
  if (!fs::exists(out / "runs")) return false;
  auto entries = fs::recursive_directory_iterator(out / "runs");
  for (auto entry = begin(entries); entry != end(entries); ++entry) {
    if (entry.depth() == 2) {
      if (has_begun(entry->path())) return true;
      entry.disable_recursion_pending();
    }
  }
  return false;
}

std::vector<std::string> differences(const StudyConfig& study, const fs::path& out,
                                     const std::vector<PlannedRun>& runs) {
  std::vector<std::string> lines;
  const fs::path file = out / kSettingsFile;
  Json was = parse_versioned_json(read_file(file, kMaxFileBytes), file.string(), 1, kFormatVersion);
  Json is = settings_of(study);
  was.erase("study");  // a study's file may be renamed
  is.erase("study");
  if (any_has_begun(out)) add_differences("", was, is, lines);
  for (const PlannedRun& run : runs) {
    const fs::path config = run.folder / kConfigFile;
    if (!has_begun(run.folder) || !fs::exists(config)) continue;
    for (const auto& one : config_differences(load_run_config(config), run.config)) {
      if (is_free(one.key)) continue;
      const std::string line = fmt::format("variant {} on data {}: {} was {}, is {}", run.variant,
                                           run.data, one.key, one.first, one.second);
      if (std::ranges::count(lines, line) == 0) lines.push_back(line);
    }
  }
  return lines;
}

[[noreturn]] void refuse(const fs::path& out, const std::string& expected, const std::string& got) {
  throw Error({.subject = out.string(),
               .expected = expected,
               .got = got,
               .fix = "name another folder with --out, or remove this one"});
}

void write_if_changed(const fs::path& file, const std::string& text) {
  if (fs::exists(file) && read_file(file, kMaxFileBytes) == text) return;
  write_file_atomically(file, text);
}

}  // namespace

std::string quantize_stage(WeightGranularity weights) {
  return weights == WeightGranularity::kPerChannel ? "int8_per_channel" : "int8_per_tensor";
}

std::vector<std::string> stages_of(const JudgeOptions& judge) {
  std::vector<std::string> stages{kTrainStage, kExportStage};
  for (const WeightGranularity weights : judge.weights) stages.push_back(quantize_stage(weights));
  stages.emplace_back(kJudgeStage);
  return stages;
}

fs::path stage_file(const fs::path& run_folder, const std::string& stage) {
  return run_folder / "stages" / (stage + ".json");
}

std::optional<nlohmann::json> stage_result(const fs::path& run_folder, const std::string& stage) {
  const fs::path file = stage_file(run_folder, stage);
  if (!fs::exists(file)) return std::nullopt;
  try {
    return nlohmann::json::parse(read_file(file, kMaxFileBytes));
  } catch (const nlohmann::json::exception& error) {
    throw Error({.subject = file.string(),
                 .expected = "the result of a stage as JSON",
                 .got = error.what(),
                 .fix = "remove the file: the stage is then done again"});
  }
}

bool stage_is_done(const fs::path& run_folder, const std::string& stage) {
  const auto result = stage_result(run_folder, stage);
  return result && result->value("complete", true);
}

fs::path judged_checkpoint(const fs::path& run_folder, const JudgeOptions& judge) {
  const bool is_last = judge.checkpoint == CheckpointChoice::kLast;
  return run_folder / "train/checkpoints" / (is_last ? "last.safetensors" : "best.safetensors");
}

void expect_folder(const fs::path& out, const StudyConfig& study,
                   const std::vector<PlannedRun>& runs) {
  if (!fs::exists(out)) return;
  if (!fs::is_directory(out)) refuse(out, "a folder", "a file");
  if (!fs::exists(out / kSettingsFile)) {
    const bool is_empty = std::ranges::all_of(
        fs::directory_iterator(out),
        [](const fs::directory_entry& entry) { return entry.path().filename() == ".lock"; });
    if (!is_empty) refuse(out, "an empty folder, or one of this study", "one with other files");
    return;
  }
  const auto is_known = [](const PlannedRun& run) { return fs::exists(run.folder / kTaskFile); };
  if (fs::exists(out / "runs") && !fs::is_empty(out / "runs") &&
      std::ranges::none_of(runs, is_known)) {
    std::vector<std::string> variants;
    for (const auto& entry : fs::directory_iterator(out / "runs")) {
      variants.push_back(entry.path().filename().string());
    }
    std::ranges::sort(variants);
    refuse(out, "results of this study",
           fmt::format("those of another one, with the variants {}", fmt::join(variants, ", ")));
  }
  const std::vector<std::string> lines = differences(study, out, runs);
  if (lines.empty()) return;
  refuse(out, "results of this study",
         fmt::format("those of another one:\n  {}\n", fmt::join(lines, "\n  ")));
}

void bind_folder(const fs::path& out, const StudyConfig& study,
                 const std::vector<PlannedRun>& runs) {
  expect_folder(out, study, runs);
  make_writable_folder(out);
  write_if_changed(out / kSettingsFile, readable_json(settings_of(study)) + "\n");
  for (const PlannedRun& run : runs) {
    make_writable_folder(run.folder / "stages");
    // The configuration first: a run that has its task is whole.
    write_if_changed(run.folder / kConfigFile, to_yaml(run.config));
    const Json task{{"format_version", kFormatVersion},
                    {"variant", run.variant},
                    {"data", run.data},
                    {"seed", run.seed},
                    {"judge", options_json(study.judge)}};
    write_if_changed(run.folder / kTaskFile, readable_json(task) + "\n");
  }
}

namespace {

// run.json by its fields.
struct TaskFile {
  int64_t format_version = kFormatVersion;
  PlannedRun run = {};
  JudgeOptions judge = {};

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("format_version", format_version,
            {.help = "of this JSON", .min = kFormatVersion, .max = kFormatVersion});
    v.field("variant", run.variant, {.help = "name", .is_required = true});
    v.field("data", run.data, {.help = "name", .is_required = true});
    v.field("seed", run.seed, {.help = "of the training", .min = 0, .is_required = true});
    v.group("judge", judge);
  }
};

}  // namespace

RunTask read_task(const fs::path& run_folder) {
  const fs::path file = run_folder / kTaskFile;
  if (!fs::exists(file)) {
    throw Error({.subject = run_folder.string(),
                 .expected = "the folder of one run of a study, such as OUT/runs/NAME/DATA/seed_0",
                 .got = "no " + std::string(kTaskFile) + " in it",
                 .fix = "dualdepth study CONFIG --out OUT makes it"});
  }
  TaskFile task;
  FieldReader reader(field_table(task), file.string());
  reader.read_file(read_file(file, kMaxFileBytes));
  reader.throw_problems();
  task.run.config = load_run_config(run_folder / kConfigFile);
  task.run.folder = run_folder;
  task.run.config.output_dir = (run_folder / "train").string();
  return {.run = std::move(task.run), .judge = std::move(task.judge)};
}

std::optional<std::string> last_error(const fs::path& run_folder) {
  const fs::path file = run_folder / kErrorFile;
  if (!fs::exists(file)) return std::nullopt;
  return read_file(file, kMaxFileBytes);
}

void note_error(const fs::path& run_folder, const std::string& error) {
  std::error_code ignored;
  if (error.empty()) {
    fs::remove(run_folder / kErrorFile, ignored);
    return;
  }
  try {
    write_file_atomically(run_folder / kErrorFile, error);
  } catch (const Error&) {
    // The error is on the console as well.
    return;
  }
}

}  // namespace dualdepth::study
