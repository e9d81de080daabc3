#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/progress.h"
#include "dualdepth/config/options_json.h"
#include "dualdepth/report/evaluation_page.h"
#include "dualdepth/report/evaluation_text.h"
#include "dualdepth/runtime/device.h"
#include "dualdepth/runtime/evaluation.h"
#include "evaluation_data.h"
#include "judged.h"
#include "runtime_option.h"
#include "verbs.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

struct EvalOptions {
  std::filesystem::path model;
  std::filesystem::path predictions;
  std::optional<double> max_depth;
  EvaluationData data;
  RuntimeOptions runtime;
  size_t batch = 1;
  std::filesystem::path json, csv, html;
};

// An evaluation may take an hour: better to learn now that its result cannot be written.
void check_result_folders(const EvalOptions& options) {
  for (const auto& file : {options.json, options.csv, options.html}) {
    if (!file.parent_path().empty()) make_writable_folder(file.parent_path());
  }
}

// The pictures of the page are predicted once more, so that not all need to be kept.
std::vector<SamplePictures> extreme_pictures(const Judged& judged, const Dataset& dataset,
                                             const EvaluationResult& result,
                                             const ExtremeSamples& extremes) {
  std::unordered_map<std::string, size_t> index_of;
  for (size_t i = 0; i < dataset.size(); ++i) index_of[dataset.id(i)] = i;
  std::vector<SamplePictures> pictures;
  for (const auto* positions : {&extremes.best, &extremes.worst}) {
    for (const size_t position : *positions) {
      const size_t index = index_of.at(result.samples[position].id);
      const Sample sample = dataset.load(index);
      const cv::Mat depth = judged.depth_of(index, sample);
      pictures.push_back({sample.rgb, sample.depth, at_truth_size(depth, sample.depth)});
    }
  }
  return pictures;
}

void run_eval(const EvalOptions& options) {
  if (options.model.empty() == options.predictions.empty()) {
    throw Error({.subject = "eval",
                 .expected = "MODEL or --predictions DIR",
                 .got = options.model.empty() ? "neither" : "both",
                 .fix = ""});
  }
  const auto [data, evaluation] = options.data.resolve();
  check_result_folders(options);
  set_compute_threads(options.runtime.threads);
  const auto dataset = open_dataset(data, SplitRole::kValidation);
  const Judged judged =
      options.predictions.empty()
          ? open_judged_model(options.model, options.runtime, evaluation)
          : open_judged_folder(options.predictions, options.max_depth, evaluation, *dataset);
  EvaluationResult result;
  {
    ProgressLine progress("eval", dataset->size());
    const SampleObserver observe = [&](size_t index, const Sample&, const cv::Mat&) {
      progress.update(index + 1);
    };
    result = judged.is_model()
                 ? evaluate(*judged.predictor, *dataset, evaluation, observe, options.batch)
                 : evaluate(judged.depth_of, *dataset, evaluation, observe);
  }
  fmt::print("{}", evaluation_table(result));
  nlohmann::ordered_json settings = judged.settings;
  settings["evaluation"] = options_json(evaluation);
  settings["data"] = options_json(data);
  if (!options.json.empty()) {
    write_file_atomically(options.json, evaluation_json(result, settings).dump(2) + "\n");
  }
  if (!options.csv.empty()) write_file_atomically(options.csv, evaluation_csv(result));
  if (options.html.empty()) return;
  EvaluationPage page{
      .title = fs::path(judged.name).filename().string() + " under " + result.protocol,
      .result = result,
      .config = settings,
      .max_depth = judged.max_depth,
      .extremes = extreme_samples(result),
      .pictures = {}};
  page.pictures = extreme_pictures(judged, *dataset, result, page.extremes);
  write_file_atomically(options.html, evaluation_page(page));
}

}  // namespace

void add_eval(CLI::App& program, ProgramState&) {
  const auto options = std::make_shared<EvalOptions>();
  CLI::App* verb = program.add_subcommand(
      "eval", "Judge a model on a data set under a named protocol and print one table");
  auto* model = verb->add_option("MODEL,--model", options->model,
                                 "checkpoint (.safetensors), TorchScript (.ts) or ONNX (.onnx)");
  verb->add_option("--predictions", options->predictions,
                   "judge files in place of a model: .npy or .npz named by the samples' ids, or by "
                   "their last part where that is unique")
      ->type_name("DIR")
      ->excludes(model);
  verb->add_option("--max-depth", options->max_depth,
                   "of npz predictions with two heads: what 1 in integer_sigmoid stands for, m")
      ->check(CLI::PositiveNumber);
  options->data.add_to(*verb);
  verb->add_option("--json", options->json, "also write all numbers and settings")
      ->type_name("FILE");
  verb->add_option("--csv", options->csv, "also write a line for each picture")->type_name("FILE");
  verb->add_option("--html", options->html, "also write a page with best and worst pictures")
      ->type_name("FILE");
  add_runtime_options(*verb, options->runtime);
  add_batch_option(*verb, options->batch);
  verb->footer(
      "Example: dualdepth eval runs/kitti/checkpoints/best.safetensors --dataset kitti \\\n"
      "           --root data/kitti/raw --split splits/val.txt --protocol eigen-annotated "
      "--json eval.json");
  verb->callback([options] { run_eval(*options); });
}

}  // namespace dualdepth
