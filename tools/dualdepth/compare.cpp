#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/progress.h"
#include "dualdepth/config/options_json.h"
#include "dualdepth/report/comparison_page.h"
#include "dualdepth/runtime/device.h"
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

ComparedResult judge(const Judged& judged, const Dataset& dataset,
                     const EvaluationOptions& evaluation) {
  using Clock = std::chrono::steady_clock;
  std::chrono::duration<double, std::milli> spent{};
  const DepthSource timed = [&](size_t index, const Sample& sample) {
    const auto start = Clock::now();
    cv::Mat depth = judged.depth_of(index, sample);
    if (index > 0 || dataset.size() == 1) spent += Clock::now() - start;  // the first warms up
    return depth;
  };
  ProgressLine progress(judged.name, dataset.size());
  const EvaluationResult result =
      evaluate(timed, dataset, evaluation,
               [&](size_t index, const Sample&, const cv::Mat&) { progress.update(index + 1); });
  const auto timed_pictures = static_cast<double>(std::max<size_t>(dataset.size() - 1, 1));
  return {.name = judged.name,
          .result = result,
          .ms_per_picture = judged.is_model() ? spent.count() / timed_pictures : 0,
          .bytes = judged.bytes};
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
  for (const Judged& judged : all) {
    comparison.results.push_back(judge(judged, *dataset, evaluation));
    comparison.config["models"].push_back(judged.settings);
    if (comparison.results.size() == 1) continue;
    comparison.deltas.push_back(
        paired_deltas(comparison.results.front().result, comparison.results.back().result));
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
  CLI::App* verb = program.add_subcommand(
      "compare", "Judge several models on the same pictures: table, differences, worst pictures");
  verb->add_option(
          "MODEL", options->models,
          "checkpoints (.safetensors), exported files (.ts, .onnx) and folders of predictions "
          "(.npy, .npz); the first "
          "is what the others are held against")
      ->required()
      ->expected(1, 64);
  verb->add_option("--max-depth", options->max_depth,
                   "of npz predictions with two heads: what 1 in integer_sigmoid stands for, m")
      ->check(CLI::PositiveNumber);
  options->data.add_to(*verb);
  verb->add_option("--pictures", options->pictures, "on the page: those that lost most")
      ->capture_default_str();
  verb->add_option("--json", options->json, "also write all numbers and settings")
      ->type_name("FILE");
  verb->add_option("--html", options->html, "also write a page with the pictures that lost most")
      ->type_name("FILE");
  add_runtime_options(*verb, options->runtime);
  verb->footer(
      "Example: dualdepth compare dual.safetensors sigmoid.safetensors from_the_chip/ \\\n"
      "           --data configs/ncdb.yaml --html compare.html");
  verb->callback([options] { run_compare(*options); });
}

}  // namespace dualdepth
