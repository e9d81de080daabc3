#pragma once

#include <filesystem>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "dualdepth/config/data_options.h"
#include "dualdepth/config/loss_options.h"
#include "dualdepth/config/model_options.h"
#include "dualdepth/config/quantize_options.h"
#include "dualdepth/config/train_options.h"

namespace dualdepth {

enum class DeviceKind { kAuto, kCpu, kCuda };
template <>
struct EnumNames<DeviceKind> {
  static constexpr std::array values{std::pair{DeviceKind::kAuto, "auto"},
                                     std::pair{DeviceKind::kCpu, "cpu"},
                                     std::pair{DeviceKind::kCuda, "cuda"}};
};

// Everything that one YAML file can say.
struct RunConfig {
  std::string output_dir = "runs/default";
  int64_t seed = 0;
  DeviceKind device = DeviceKind::kAuto;
  int64_t threads = 0;
  ModelOptions model;
  LossOptions loss;
  DataOptions data;
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  TrainerOptions trainer;
  EvaluationOptions evaluation;
  FakeQuantizeOptions quantize;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("output_dir", output_dir, {.help = "folder of the run"});
    v.field("seed", seed, {.help = "of weights, order and augmentation", .min = 0});
    v.field("device", device, {.help = "auto: cuda where a GPU can be used"});
    v.field("threads", threads,
            {.help = "of the CPU's computation; 0: all cores", .min = 0, .max = 1024});
    v.group("model", model);
    v.group("loss", loss);
    v.group("data", data);
    v.group("optimizer", optimizer);
    v.group("schedule", schedule);
    v.group("trainer", trainer);
    v.group("evaluation", evaluation);
    v.group("quantize", quantize);
  }

  // What does not fit together: the problems of model and data, a weighted scale without a head, a
  // step schedule without milestones. Each field's own range is checked while reading.
  std::vector<ErrorParts> problems() const;

  // Throws ConfigError with all problems.
  void check() const;
};

// Reads FILE and applies overrides of the form key.path=value, the last of a key winning. Strict:
// unknown keys, keys given twice, wrong types, values out of range and what problems() finds are
// gathered and thrown together as one ConfigError, a line each:
//
//   FILE:12: model.params.max_dept: unknown key; did you mean max_depth?
//   FILE:15: optimizer.lr: expected a number, got "fast"
//   override trainer.max_epochs: expected at least 1, got 0
RunConfig load_run_config(const std::filesystem::path& file,
                          std::span<const std::string> overrides = {});

// The same from text (a checkpoint's metadata, say); `origin` stands for the file in messages.
RunConfig parse_run_config(const std::string& yaml, const std::string& origin,
                           std::span<const std::string> overrides = {});

// All keys with their values as YAML that load_run_config reads back to the same RunConfig.
std::string to_yaml(const RunConfig& config);

// A key that differs between two configurations, with both values as YAML.
struct ConfigDifference {
  std::string key;
  std::string first;
  std::string second;
};

// In the order of the file.
std::vector<ConfigDifference> config_differences(const RunConfig& first, const RunConfig& second);

// `train --explain`: every key with default, help, type and range.
void explain_run_config(std::ostream& out);

// docs/config.md: the same as a Markdown table for each group.
void write_config_markdown(std::ostream& out);

}  // namespace dualdepth
