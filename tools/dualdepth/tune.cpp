#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/progress.h"
#include "dualdepth/runtime/decoding_search.h"
#include "dualdepth/runtime/device.h"
#include "evaluation_data.h"
#include "verbs.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

struct TuneOptions {
  fs::path checkpoint, out, json;
  EvaluationData data;
  std::vector<double> slopes = {0.25, 0.5, 1, 2};
  std::vector<double> quantiles = {0.35, 0.4, 0.45, 0.5, 0.55};
  double rmse_ratio = 1.02;
  int64_t threads = 0;
};

std::vector<Decoding> decodings_of(HeadKind head, const TuneOptions& options) {
  std::vector<Decoding> decodings;
  if (head != HeadKind::kCumulative) {
    for (const auto& [levels, name] : EnumNames<LevelDecoding>::values) {
      decodings.push_back({.levels = levels});
    }
    return decodings;
  }
  for (const double slope : options.slopes) {
    for (const double quantile : options.quantiles) {
      decodings.push_back({.slope = slope, .quantile = quantile});
    }
  }
  return decodings;
}

nlohmann::ordered_json json_of(const Decoding& decoding, HeadKind head) {
  if (head != HeadKind::kCumulative) return {{"decoding", enum_name(decoding.levels)}};
  return {{"slope", decoding.slope}, {"quantile", decoding.quantile}};
}

std::string text_of(const Decoding& decoding, HeadKind head) {
  if (head != HeadKind::kCumulative) return std::string(enum_name(decoding.levels));
  return fmt::format("slope {}, quantile {}", decoding.slope, decoding.quantile);
}

void print_table(const std::vector<EvaluatedDecoding>& evaluated, const EvaluatedDecoding& best,
                 HeadKind head) {
  fmt::print("{:<26} {:>9} {:>8} {:>8}\n", "decoding", "abs_rel", "rmse", "d1");
  for (const auto& one : evaluated) {
    fmt::print("{:<26} {:>9.4f} {:>8.3f} {:>8.4f}{}\n", text_of(one.decoding, head),
               one.metrics.abs_rel, one.metrics.rmse, one.metrics.d1,
               &one == &best ? "  chosen" : "");
  }
}

nlohmann::ordered_json json_of(const std::vector<EvaluatedDecoding>& evaluated,
                               const EvaluatedDecoding& best, HeadKind head) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const auto& one : evaluated) {
    nlohmann::ordered_json row = json_of(one.decoding, head);
    DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*member) {
      row[std::string(name)] = one.metrics.*member;
    });
    all.push_back(std::move(row));
  }
  return {{"chosen", json_of(best.decoding, head)}, {"decodings", std::move(all)}};
}

void run_tune(const TuneOptions& options) {
  const JudgedData judged_data = options.data.resolve();
  for (const auto& file : {options.out, options.json}) {
    if (!file.empty()) make_writable_folder(fs::absolute(file).parent_path());
  }
  set_compute_threads(options.threads);
  const Checkpoint checkpoint = open_checkpoint(options.checkpoint);
  const auto dataset = open_dataset(judged_data.data, SplitRole::kValidation);
  const HeadKind head = checkpoint.config.model.head_kind();
  const auto decodings = decodings_of(head, options);
  std::vector<EvaluatedDecoding> evaluated;
  {
    ProgressLine progress("tune", decodings.size());
    evaluated = evaluate_decodings(checkpoint, *dataset, judged_data.evaluation, decodings,
                                   [&](size_t done) { progress.update(done); });
  }
  const EvaluatedDecoding& best = best_decoding(evaluated, options.rmse_ratio);
  print_table(evaluated, best, head);
  if (!options.json.empty()) {
    write_file_atomically(options.json, json_of(evaluated, best, head).dump(2) + "\n");
  }
  if (options.out.empty()) return;
  write_with_decoding(checkpoint, best.decoding, options.out);
  fmt::print("written  {}\n", options.out.string());
}

}  // namespace

void add_tune(CLI::App& program, ProgramState&) {
  const auto options = std::make_shared<TuneOptions>();
  CLI::App* verb = program.add_subcommand(
      "tune",
      "Choose how a head is decoded on a validation split: argmax, expectation or median of a "
      "categorical one, slope and quantile of a cumulative one");
  verb->add_option("CHECKPOINT", options->checkpoint, "checkpoint (.safetensors)")->required();
  options->data.add_to(*verb);
  verb->add_option("--slopes", options->slopes, "values of model.head.slope to try")
      ->check(CLI::Range(0.05, 64.0))
      ->expected(1, 64)
      ->capture_default_str();
  verb->add_option("--quantiles", options->quantiles, "values of model.head.quantile to try")
      ->check(CLI::Range(0.01, 0.99))
      ->expected(1, 64)
      ->capture_default_str();
  verb->add_option("--rmse-ratio", options->rmse_ratio,
                   "chooses the least abs_rel among those whose rmse is at most so many times the "
                   "least rmse")
      ->check(CLI::Range(1.0, 100.0))
      ->capture_default_str();
  verb->add_option("--out", options->out,
                   "also write a copy of the checkpoint with the chosen decoding")
      ->type_name("FILE");
  verb->add_option("--json", options->json, "also write all numbers")->type_name("FILE");
  verb->add_option("--threads", options->threads, "of the CPU's computation; 0: all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  verb->footer(
      "Example: dualdepth tune runs/kitti/checkpoints/best.safetensors --data configs/kitti.yaml "
      "--out tuned.safetensors");
  verb->callback([options] { run_tune(*options); });
}

}  // namespace dualdepth
