#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/quantize/fine_tune.h"
#include "dualdepth/report/training_page.h"
#include "dualdepth/train/trainer.h"
#include "verbs.h"

namespace dualdepth {
namespace {

struct TrainArguments {
  std::vector<std::string> words;
  std::string resume;
  bool explain = false;
};

// The words are CONFIG.yaml and overrides; with --resume there may be overrides alone.
RunStart start_of(const TrainArguments& arguments) {
  std::vector<std::string> overrides = arguments.words;
  std::optional<std::filesystem::path> config;
  if (!overrides.empty() && overrides.front().find('=') == std::string::npos) {
    config = overrides.front();
    overrides.erase(overrides.begin());
  }
  if (!arguments.resume.empty()) return resume_run(arguments.resume, config, overrides);
  if (config) return start_fresh(*config, overrides);
  throw Error({.subject = "dualdepth train",
               .expected = "CONFIG.yaml, or --resume DIR",
               .got = "neither",
               .fix = "dualdepth train --help shows an example"});
}

// Of a run that has logged nothing there is nothing to show.
void write_page(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "metrics.jsonl")) return;
  write_file_atomically(folder / "report.html", training_page(folder));
}

void print(const TrainResult& result, const RunConfig& config) {
  switch (result.end) {
    case RunEnd::kFinished:
      fmt::print("finished at step {}\n", result.step);
      break;
    case RunEnd::kStoppedEarly:
      fmt::print("stopped early at step {}: {} validations without a better {}\n", result.step,
                 config.trainer.early_stop_patience, config.trainer.monitor);
      break;
    case RunEnd::kWasFinished:
      fmt::print("this run is already finished, at step {}; nothing to do\n", result.step);
      break;
    case RunEnd::kInterrupted:
      fmt::print("interrupted after step {}; go on with\n  dualdepth train --resume {}\n",
                 result.step, config.output_dir);
      break;
  }
  if (result.best) {
    fmt::print("best {} {:.4f} at step {}\n", config.trainer.monitor, result.best->value,
               result.best->step);
  }
  fmt::print("last checkpoint: {}\n", result.checkpoint.string());
}

void fine_tune_in_8_bits(const RunConfig& config, ProgramState& state) {
  const auto result = quantize::fine_tune(config);
  if (result.was_interrupted) state.exit_code = kExitInterrupted;
  write_page(config.output_dir);
  fmt::print("{} after {} steps\n", result.was_interrupted ? "interrupted" : "finished",
             result.steps);
  fmt::print("abs_rel in 8 bits {:.4f} at step {}, {:.4f} before\n", result.after.abs_rel,
             result.best_step, result.before.abs_rel);
  fmt::print("written {}\n", result.file.string());
}

}  // namespace

void add_train(CLI::App& program, ProgramState& state) {
  CLI::App* verb = program.add_subcommand("train", "Train a network as one YAML file says");
  const auto arguments = std::make_shared<TrainArguments>();
  verb->add_option("CONFIG", arguments->words,
                   "CONFIG.yaml, then any number of key.path=value that override it")
      ->option_text("CONFIG.yaml [key.path=value ...]");
  verb->add_option("--resume", arguments->resume,
                   "Go on with the run in this folder, or from this checkpoint; CONFIG.yaml may be "
                   "left out")
      ->option_text("DIR|FILE");
  verb->add_flag("--explain", arguments->explain,
                 "Print every key with its default, unit, range and meaning");
  verb->footer(
      "Writes config.yaml, log.txt, metrics.jsonl, events/ (for tensorboard), panels/, "
      "checkpoints/ "
      "and, at the end, report.html to output_dir.\n"
      "SIGINT or SIGTERM ends the run after its step with a checkpoint and exit code 130; a second "
      "one ends it at once.\n\n"
      "With quantize.fake=true quantize.checkpoint=FILE it fine-tunes that network in 8 bits and "
      "writes int8.onnx.\n\n"
      "Example: dualdepth train configs/kitti_mini.yaml output_dir=runs/first optimizer.lr=1e-4");
  verb->callback([arguments, &state] {
    if (arguments->explain) return explain_run_config(std::cout);
    const RunStart start = start_of(*arguments);
    if (start.config.quantize.fake) return fine_tune_in_8_bits(start.config, state);
    const TrainResult result = train(start);
    if (result.end == RunEnd::kInterrupted) state.exit_code = kExitInterrupted;
    write_page(start.config.output_dir);
    print(result, start.config);
  });
}

}  // namespace dualdepth
