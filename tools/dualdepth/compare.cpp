#include <fmt/format.h>

#include <memory>
#include <numeric>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/progress.h"
#include "dualdepth/config/options_json.h"
#include "dualdepth/report/comparison_page.h"
#include "dualdepth/report/comparison_text.h"
#include "dualdepth/runtime/device.h"
#include "dualdepth/runtime/joint_evaluation.h"
#include "evaluation_data.h"
#include "judged.h"
#include "runtime_option.h"
#include "verbs.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

struct CompareOptions {
  std::vector<fs::path> models;
  std::optional<double> max_depth;
  EvaluationData data;
  RuntimeOptions runtime;
  size_t pictures = 5;
  fs::path json, html;
};

// Folders of predictions beside model files.
std::vector<Judged> open_all(const CompareOptions& options, const EvaluationOptions& evaluation,
                             const Dataset& dataset) {
  std::vector<Judged> all;
  all.reserve(options.models.size());
  for (const fs::path& path : options.models) {
    all.push_back(fs::is_directory(path)
                      ? open_judged_folder(path, options.max_depth, evaluation, dataset)
                      : open_judged_model(path, runtime_of_one(path, options.runtime), evaluation));
  }
  return all;
}

std::vector<ComparedResult> evaluate_all(const std::vector<Judged>& all, const Dataset& dataset,
                                         const EvaluationOptions& evaluation) {
  std::vector<DepthSource> sources;
  sources.reserve(all.size());
  for (const Judged& judged : all) sources.push_back(judged.depth_of);
  ProgressLine progress("compare", all.size() * dataset.size());
  std::vector<size_t> done(all.size());
  std::vector<JointEvaluation> evaluated =
      evaluate_jointly(sources, dataset, evaluation, [&](size_t model, size_t pictures) {
        done[model] = pictures;
        progress.update(std::accumulate(done.begin(), done.end(), size_t{0}), all[model].name);
      });
  std::vector<ComparedResult> results;
  results.reserve(all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    results.push_back({.name = all[i].name,
                       .result = std::move(evaluated[i].result),
                       .to_first = evaluated[i].to_first,
                       .ms_per_picture = all[i].is_model() ? evaluated[i].ms_per_picture : 0,
                       .bytes = all[i].bytes});
  }
  return results;
}

std::vector<ComparedPictures> worst_pictures(const Comparison& comparison,
                                             const std::vector<Judged>& all, const Dataset& dataset,
                                             size_t count) {
  const EvaluationResult& first = comparison.results.front().result;
  std::vector<ComparedPictures> worst;
  for (const size_t position : most_worsened(first, comparison.results.back().result, count)) {
    const std::string& id = first.samples[position].id;
    size_t index = 0;
    while (dataset.id(index) != id) ++index;
    const Sample sample = dataset.load(index);
    ComparedPictures pictures{
        .id = id, .rgb = sample.rgb, .truth = sample.depth, .predictions = {}};
    for (const Judged& judged : all) {
      pictures.predictions.push_back(at_truth_size(judged.depth_of(index, sample), sample.depth));
    }
    worst.push_back(std::move(pictures));
  }
  return worst;
}

void run_compare(const CompareOptions& options) {
  const auto [data, evaluation] = options.data.resolve();
  for (const auto& file : {options.json, options.html}) {
    if (!file.parent_path().empty()) make_writable_folder(file.parent_path());
  }
  set_compute_threads(options.runtime.threads);
  const auto dataset = open_dataset(data, SplitRole::kValidation);
  const std::vector<Judged> all = open_all(options, evaluation, *dataset);
  Comparison comparison;
  comparison.config = {{"evaluation", options_json(evaluation)}, {"data", options_json(data)}};
  for (const Judged& judged : all) comparison.config["models"].push_back(judged.settings);
  comparison.results = evaluate_all(all, *dataset, evaluation);
  for (size_t i = 1; i < all.size(); ++i) {
    comparison.deltas.push_back(
        paired_deltas(comparison.results.front().result, comparison.results[i].result));
  }
  comparison.max_depth = all.front().max_depth;
  fmt::print("{}", comparison_table(comparison));
  if (!options.json.empty()) {
    write_file_atomically(options.json, comparison_json(comparison).dump(2) + "\n");
  }
  if (options.html.empty()) return;
  comparison.pictures = worst_pictures(comparison, all, *dataset, options.pictures);
  write_file_atomically(options.html, comparison_page(comparison));
}

}  // namespace

void add_compare(CLI::App& program, ProgramState&) {
  const auto options = std::make_shared<CompareOptions>();
  CLI::App* verb = program.add_subcommand("compare",
                                          "Compare several models on the same pictures: metrics, "
                                          "how far each one's depth lies from the "
                                          "first one's, worst pictures");
  verb->add_option(
          "MODEL", options->models,
          "checkpoints (.safetensors), exported files (.ts, .onnx) and folders of predictions "
          "(.npy, .npz); the first is what the others are compared with")
      ->required()
      ->expected(1, 64);
  verb->add_option("--max-depth", options->max_depth,
                   "of npz predictions with two heads: what 1 in integer_sigmoid stands for, m")
      ->check(CLI::PositiveNumber);
  options->data.add_to(*verb);
  verb->add_option("--pictures", options->pictures,
                   "Number of pictures on the page: those whose abs_rel grew most")
      ->capture_default_str();
  verb->add_option("--json", options->json, "Write all numbers and settings as JSON")
      ->type_name("FILE");
  verb->add_option("--html", options->html,
                   "Write a page with tables, the histogram of differences, and maps of the "
                   "pictures that lost most")
      ->type_name("FILE");
  add_runtime_options(*verb, options->runtime);
  verb->footer(
      "Example: dualdepth compare dual.safetensors sigmoid.safetensors from_the_chip/ \\\n"
      "           --data configs/ncdb.yaml --html compare.html");
  verb->callback([options] { run_compare(*options); });
}

}  // namespace dualdepth
