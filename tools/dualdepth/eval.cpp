#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/progress.h"
#include "dualdepth/config/options_json.h"
#include "dualdepth/config/run_config.h"
#include "dualdepth/report/evaluation_page.h"
#include "dualdepth/report/evaluation_text.h"
#include "dualdepth/runtime/device.h"
#include "dualdepth/runtime/evaluation.h"
#include "enum_option.h"
#include "verbs.h"

namespace dualdepth {
namespace {

struct EvalOptions {
  std::filesystem::path model;
  std::filesystem::path data_config;
  DataOptions data;
  EvaluationOptions evaluation;
  DeviceKind device = DeviceKind::kAuto;
  int64_t threads = 0;
  std::filesystem::path json, csv, html;
};

// Where the samples come from: --data CONFIG, or the options of their own; the protocol says which
// ground truth.
DataOptions data_of(const EvalOptions& options) {
  const Protocol& protocol = find_protocol(options.evaluation.protocol);
  if (!options.data_config.empty()) {
    return with_ground_truth_of(protocol, load_run_config(options.data_config, {}).data);
  }
  if (options.data.root.empty()) {
    throw Error({.subject = "eval",
                 .expected = "--data CONFIG, or --root DIR with --split FILE",
                 .got = "neither",
                 .fix = ""});
  }
  return with_ground_truth_of(protocol, options.data);
}

// An evaluation may take an hour: better to learn now that its result cannot be written.
void check_result_folders(const EvalOptions& options) {
  for (const auto& file : {options.json, options.csv, options.html}) {
    if (!file.parent_path().empty()) make_writable_folder(file.parent_path());
  }
}

nlohmann::ordered_json settings_json(const EvalOptions& options, const DataOptions& data,
                                     const RunConfig& training) {
  return {{"model", options.model.string()},
          {"evaluation", options_json(options.evaluation)},
          {"data", options_json(data)},
          {"training", options_json(training)}};
}

// The pictures of the page are predicted once more, so that not all need to be kept.
std::vector<SamplePictures> extreme_pictures(Predictor& predictor, const Dataset& dataset,
                                             const EvaluationOptions& options,
                                             const EvaluationResult& result,
                                             const ExtremeSamples& extremes) {
  std::unordered_map<std::string, size_t> index_of;
  for (size_t i = 0; i < dataset.size(); ++i) index_of[dataset.id(i)] = i;
  std::vector<SamplePictures> pictures;
  for (const auto* positions : {&extremes.best, &extremes.worst}) {
    for (const size_t position : *positions) {
      const Sample sample = dataset.load(index_of.at(result.samples[position].id));
      pictures.push_back({sample.rgb, sample.depth, predict_depth(predictor, sample.rgb, options)});
    }
  }
  return pictures;
}

void run_eval(const EvalOptions& options) {
  const DataOptions data = data_of(options);
  check_result_folders(options);
  set_compute_threads(options.threads);
  auto model = open_predictor(options.model, options.device);
  const auto dataset = open_dataset(data, SplitRole::kValidation);
  EvaluationResult result;
  {
    ProgressLine progress("eval", dataset->size());
    result =
        evaluate(*model.predictor, *dataset, options.evaluation,
                 [&](size_t index, const Sample&, const cv::Mat&) { progress.update(index + 1); });
  }
  fmt::print("{}", evaluation_table(result));
  const auto settings = settings_json(options, data, model.config);
  if (!options.json.empty()) {
    write_file_atomically(options.json, evaluation_json(result, settings).dump(2) + "\n");
  }
  if (!options.csv.empty()) write_file_atomically(options.csv, evaluation_csv(result));
  if (options.html.empty()) return;
  EvaluationPage page{.title = options.model.filename().string() + " under " + result.protocol,
                      .result = result,
                      .config = settings,
                      .max_depth = model.config.model.params.codec.max_depth,
                      .extremes = extreme_samples(result),
                      .pictures = {}};
  page.pictures =
      extreme_pictures(*model.predictor, *dataset, options.evaluation, result, page.extremes);
  write_file_atomically(options.html, evaluation_page(page));
}

std::string protocol_names() {
  std::string names;
  for (const Protocol& protocol : all_protocols()) {
    names += (names.empty() ? "" : ", ") + protocol.name;
  }
  return names;
}

void add_data_options(CLI::App& verb, EvalOptions& options) {
  auto* config = verb.add_option("--data", options.data_config,
                                 "YAML whose data section names the samples (its val_split)")
                     ->type_name("CONFIG");
  auto* dataset = add_enum_option(verb, "--dataset", options.data.dataset, "layout on disk");
  auto* root =
      verb.add_option("--root", options.data.root, "folder with the raw drives")->type_name("DIR");
  auto* split = verb.add_option("--split", options.data.val_split, "file that lists the samples")
                    ->type_name("FILE");
  auto* depth_root = verb.add_option("--depth-root", options.data.depth_root,
                                     "folder with annotated depth; default: searched in and beside "
                                     "root")
                         ->type_name("DIR");
  auto* missing = add_enum_option(verb, "--missing", options.data.missing,
                                  "what a listed sample without its file is");
  for (auto* option : {dataset, root, split, depth_root, missing}) config->excludes(option);
}

}  // namespace

void add_eval(CLI::App& program, ProgramState&) {
  const auto options = std::make_shared<EvalOptions>();
  CLI::App* verb = program.add_subcommand(
      "eval", "Judge a model on a data set under a named protocol and print one table");
  verb->add_option("MODEL", options->model, "checkpoint (.safetensors)")->required();
  add_data_options(*verb, *options);
  verb->add_option("--protocol", options->evaluation.protocol,
                   "ground truth, crop and cap: " + protocol_names())
      ->type_name("NAME")
      ->capture_default_str();
  add_enum_option(*verb, "--scaling", options->evaluation.scaling,
                  "per-picture scaling of predictions to ground truth");
  verb->add_flag("--flip", options->evaluation.flip,
                 "average with the prediction of the mirrored picture");
  verb->add_option("--json", options->json, "also write all numbers and settings")
      ->type_name("FILE");
  verb->add_option("--csv", options->csv, "also write a line for each picture")->type_name("FILE");
  verb->add_option("--html", options->html, "also write a page with best and worst pictures")
      ->type_name("FILE");
  add_enum_option(*verb, "--device", options->device, "where the network runs");
  verb->add_option("--threads", options->threads, "of the CPU's computation; 0: all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  verb->footer(
      "Example: dualdepth eval runs/kitti/checkpoints/best.safetensors --dataset kitti \\\n"
      "           --root data/kitti/raw --split splits/val.txt --protocol eigen-annotated "
      "--json eval.json");
  verb->callback([options] { run_eval(*options); });
}

}  // namespace dualdepth
