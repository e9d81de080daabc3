#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/data/synthetic_picture.h"
#include "dualdepth/runtime/benchmark.h"
#include "dualdepth/runtime/dense_predictor.h"
#include "dualdepth/runtime/device.h"
#include "dualdepth/runtime/exported_model.h"
#include "runtime_option.h"
#include "verbs.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

struct BenchVerb {
  std::vector<fs::path> models;
  RuntimeOptions runtime;
  BenchmarkOptions timing;
  bool layers = false;
  fs::path json;
};

struct Measured {
  fs::path path;
  double peak_mb = 0;
  cv::Size size = {};
  Latency latency = {};
  std::vector<LayerTime> layers = {};
};

cv::Mat picture_for(const LoadedPredictor& model) {
  const auto layout = model.training ? model.training->data.dataset : DatasetKind::kKitti;
  return synthetic::render_picture(layout, model.predictor->input_size(), 0);
}

// In a process of its own: opening and three pictures.
double peak_memory(const fs::path& file, const RuntimeOptions& runtime, size_t batch) {
  return peak_memory_of([&] {
    set_compute_threads(runtime.threads);
    const auto model = open_predictor(file, runtime);
    const std::vector<cv::Mat> pictures(batch, picture_for(model));
    for (int i = 0; i < 3; ++i) model.predictor->predict_batch(pictures);
  });
}

// OpenVINO alone tells its layers' times; a model of its own keeps them.
std::vector<LayerTime> layer_times(const fs::path& file, const RuntimeOptions& runtime) {
  if (file.extension() != ".onnx") return {};
  OpenVinoOptions options = openvino_options(runtime);
  options.profile = true;
  const auto model = open_onnx(file, options);
  const InputContract& input = model->contract().input;
  const cv::Size size(static_cast<int>(input.size.at(1)), static_cast<int>(input.size.at(0)));
  const auto picture = synthetic::render_picture(DatasetKind::kKitti, size, 0);
  const std::vector<torch::Tensor> together(
      static_cast<size_t>(std::max<int64_t>(model->batch(), 1)),
      to_network_picture(picture, input).image);
  const auto image = torch::cat(together);
  constexpr int kWarmUp = 4;
  for (int i = 0; i < kWarmUp; ++i) model->run(image);
  return model->layer_times();
}

double pictures_per_s(const Measured& one, const BenchmarkOptions& timing) {
  return 1000 * static_cast<double>(timing.batch) / one.latency.median;
}

void print_table(const std::vector<Measured>& all, const BenchmarkOptions& timing) {
  size_t width = 5;
  for (const auto& one : all) width = std::max(width, one.path.string().size());
  fmt::print("{:<{}}  {:>9} {:>10} {:>8} {:>8} {:>10} {:>8}\n", "model", width, "size", "median ms",
             "p90 ms", "least ms", "pictures/s", "peak MB");
  for (const auto& one : all) {
    fmt::print("{:<{}}  {:>9} {:>10.1f} {:>8.1f} {:>8.1f} {:>10.1f} {:>8.0f}\n", one.path.string(),
               width, fmt::format("{}x{}", one.size.height, one.size.width), one.latency.median,
               one.latency.p90, one.latency.least, pictures_per_s(one, timing), one.peak_mb);
  }
}

void print_layers(const Measured& one) {
  if (one.layers.empty()) {
    fmt::print("\n{}: its runtime tells no times of layers\n", one.path.string());
    return;
  }
  fmt::print("\n{}\n{:>9}  {:<22} {:<28} {}\n", one.path.string(), "ms", "layer", "computed by",
             "node");
  for (const LayerTime& layer : one.layers) {
    fmt::print("{:>9.3f}  {:<22} {:<28} {}\n", layer.milliseconds, layer.kind, layer.precision,
               layer.name);
  }
}

nlohmann::ordered_json to_json(const std::vector<Measured>& all, const BenchVerb& verb) {
  nlohmann::ordered_json json{{"threads", verb.runtime.threads},
                              {"runs", verb.timing.runs},
                              {"batch", verb.timing.batch},
                              {"models", nlohmann::ordered_json::array()}};
  for (const auto& one : all) {
    nlohmann::ordered_json model{
        {"path", one.path.string()},
        {"height", one.size.height},
        {"width", one.size.width},
        {"latency_ms",
         {{"median", one.latency.median}, {"p90", one.latency.p90}, {"least", one.latency.least}}},
        {"pictures_per_s", pictures_per_s(one, verb.timing)},
        {"peak_mb", one.peak_mb}};
    for (const LayerTime& layer : one.layers) {
      model["layers"].push_back({{"name", layer.name},
                                 {"kind", layer.kind},
                                 {"precision", layer.precision},
                                 {"ms", layer.milliseconds}});
    }
    json["models"].push_back(model);
  }
  return json;
}

void run_bench(const BenchVerb& verb) {
  std::vector<Measured> all;
  all.reserve(verb.models.size());
  for (const fs::path& file : verb.models) {
    all.push_back(
        {.path = file,
         .peak_mb = peak_memory(file, runtime_of_one(file, verb.runtime), verb.timing.batch)});
  }
  set_compute_threads(verb.runtime.threads);
  std::vector<LoadedPredictor> models;
  std::vector<Predictor*> predictors;
  std::vector<cv::Mat> pictures;
  for (Measured& one : all) {
    models.push_back(open_predictor(one.path, runtime_of_one(one.path, verb.runtime)));
    predictors.push_back(models.back().predictor.get());
    pictures.push_back(picture_for(models.back()));
    one.size = predictors.back()->input_size();
  }
  const auto latencies = benchmark(predictors, pictures, verb.timing);
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].latency = latencies[i];
    if (verb.layers)
      all[i].layers = layer_times(all[i].path, runtime_of_one(all[i].path, verb.runtime));
  }
  print_table(all, verb.timing);
  if (verb.layers) std::ranges::for_each(all, print_layers);
  if (!verb.json.empty()) write_file_atomically(verb.json, to_json(all, verb).dump(2) + "\n");
}

}  // namespace

void add_bench(CLI::App& program, ProgramState&) {
  const auto options = std::make_shared<BenchVerb>();
  CLI::App* verb =
      program.add_subcommand("bench", "Time models from picture to depth, side by side in one run");
  verb->add_option("MODEL", options->models, "checkpoints (.safetensors), .ts and .onnx files")
      ->required()
      ->expected(1, 64);
  verb->add_option("--warm-up", options->timing.warm_up, "runs of each that do not count")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  verb->add_option("--runs", options->timing.runs, "runs of each that count")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  verb->add_flag("--layers", options->layers, "also print each layer's time, where known");
  verb->add_option("--json", options->json, "also write all numbers")->type_name("FILE");
  add_runtime_options(*verb, options->runtime);
  add_batch_option(*verb, options->timing.batch);
  verb->footer(
      "Memory is that of a process which opens the model and predicts three times.\n"
      "Example: dualdepth bench best.safetensors depth.onnx --threads 2");
  verb->callback([options] { run_bench(*options); });
}

}  // namespace dualdepth
