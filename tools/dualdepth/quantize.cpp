#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "calibration_pictures.h"
#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/quantize/command_metric.h"
#include "dualdepth/quantize/diagnosis.h"
#include "dualdepth/quantize/layer_dump.h"
#include "dualdepth/quantize/mixed_precision.h"
#include "dualdepth/quantize/quantize_model.h"
#include "dualdepth/report/quantization_page.h"
#include "dualdepth/runtime/device.h"
#include "enum_option.h"
#include "plan_options.h"
#include "shape_option.h"
#include "verbs.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

struct QuantizeVerb {
  fs::path model, card, calibration, out;
  std::string shape;
  WeightGranularity weights = WeightGranularity::kPerChannel;
  bool weights_given = false;
  std::vector<std::string> without, keep_float;
  double budget = 0;
  quantize::CommandMetric metric;
  int64_t metric_timeout = 3600;  // s
  bool metric_higher = false;
  fs::path target, html, json, dump;
  PlanOptions plan;
  size_t pictures = 128;
  size_t dump_pictures = 2;
  int64_t threads = 0;
  bool diagnose = false;
  quantize::QuantizeOptions options;
};

constexpr size_t kJudgedSamples = 64;  // with ground truth

constexpr const char* kSteps[] = {"centring", "equalization", "bias-correction",
                                  "adaptive-rounding"};

void leave_out(const std::vector<std::string>& names, quantize::QuantizeOptions& options) {
  for (const auto& name : names) {
    if (name == kSteps[0]) options.center = false;
    if (name == kSteps[1]) options.equalize = false;
    if (name == kSteps[2]) options.correct_bias = false;
    if (name == kSteps[3]) options.round_adaptively = false;
  }
}

// --keep-float takes a number or names.
void keep_float(const std::vector<std::string>& wanted, quantize::QuantizeOptions& options,
                quantize::MixedPrecision& mixed) {
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  if (wanted.size() == 1 && wanted[0].size() < 7 && std::ranges::all_of(wanted[0], is_digit)) {
    mixed.keep = std::stoul(wanted[0]);
  } else {
    options.keep_float = wanted;
  }
}

void print_kept(const quantize::MixedQuantization& mixed, const std::string& measure,
                quantize::Better better) {
  if (mixed.ratio > 0) {
    fmt::print("{:<10} {:.4f} times {}\n", measure, mixed.ratio,
               better == quantize::Better::kLower ? "float's" : "as good in float");
  }
  for (const auto& name : mixed.kept) fmt::print("float      {}\n", name);
  for (const auto& name : mixed.wide) fmt::print("16 bits    {}\n", name);
}

void print_stage(const QuantizationStage& stage) {
  fmt::print("{:<20} {:>10.2f} {:>10.2f} {:>10.3f} {:>12.4f} {:>+10.3f}\n", stage.name,
             stage.mean_mm, stage.median_mm, stage.percent, stage.equal_levels, stage.level_shift);
}

void print_layers(const std::vector<quantize::LayerFit>& layers) {
  size_t rounded = 0;
  size_t corrected = 0;
  for (const auto& layer : layers) {
    rounded += layer.rounded ? 1 : 0;
    corrected += layer.bias_corrected ? 1 : 0;
  }
  fmt::print("layers     {} fitted: {} rounded adaptively, {} with a corrected bias\n",
             layers.size(), rounded, corrected);
}

void print_diagnosis(const QuantizationReport& report) {
  if (report.layers.empty()) return;
  const std::string& measure = report.measure;
  if (!measure.empty()) fmt::print("{:<10} {:.4g} in float\n", measure, report.float_error);
  fmt::print("{:<46} {:>8} {:>10} {:>8} {:>8} {:>8}  advice\n", "only this in 8 bits", "mean %",
             "mean mm", measure, "SNR dB", "with all");
  for (const auto& layer : report.layers) {
    const auto error = measure.empty() ? "-" : fmt::format("{:.4g}", layer.error);
    fmt::print("{:<46} {:>8.3f} {:>10.2f} {:>8} {:>8.1f} {:>8.1f}  {}\n", layer.name, layer.percent,
               layer.mean_mm, error, layer.snr_alone, layer.snr_all, layer.advice);
  }
}

QuantizationStage reported(const std::string& name, const quantize::DepthError& error) {
  return {.name = name,
          .mean_mm = 1000 * error.mean,
          .median_mm = 1000 * error.median,
          .percent = 100 * error.relative,
          .equal_levels = error.equal_levels,
          .level_shift = error.level_shift};
}

QuantizationLayer reported(const quantize::LayerNoise& layer) {
  return {.name = layer.name,
          .place = layer.place,
          .percent = 100 * layer.alone.relative,
          .mean_mm = 1000 * layer.alone.mean,
          .error = layer.error_alone,
          .snr_alone = layer.snr_alone,
          .snr_all = layer.snr,
          .advice = layer.advice};
}

// What budget and diagnosis are measured by, besides depth.
struct Measure {
  std::string name = {};  // "abs_rel" or "metric"; empty: nothing
  quantize::ErrorOf error = {};
  quantize::Better better = quantize::Better::kLower;
};

Measure open_measure(const QuantizeVerb& verb, const quantize::FloatModel& model) {
  if (!verb.metric.command.empty()) {
    return {"metric", command_error(verb.metric, model.contract, verb.options.profile),
            verb.metric_higher ? quantize::Better::kHigher : quantize::Better::kLower};
  }
  if (auto error = calibration_error(verb.calibration, kJudgedSamples, model.contract)) {
    return {"abs_rel", std::move(error)};
  }
  if (verb.budget == 0) return {};
  throw Error({.subject = "budget",
               .expected = "--calibration with a YAML whose data.val_split has ground truth",
               .got = verb.calibration.string(),
               .fix = "name a data configuration, judge by a command of your own with --metric, or "
                      "choose the layers with --keep-float N"});
}

void diagnose(QuantizationReport& report, const Measure& measure,
              const quantize::Quantization& quantization, const Contract& contract,
              const graph::Pictures& judged) {
  report.measure = measure.name;
  if (measure.error) report.float_error = measure.error(quantization.reference);
  auto layers = quantize::diagnose(quantization, contract, judged, measure.error);
  if (measure.name == "metric") quantize::sort_by_error(layers, measure.better);
  for (const auto& layer : layers) report.layers.push_back(reported(layer));
  print_diagnosis(report);
}

void write_reports(const QuantizeVerb& verb, const QuantizationReport& report) {
  if (!verb.json.empty())
    write_file_atomically(verb.json, quantization_json(report).dump(2) + "\n");
  if (!verb.html.empty()) write_file_atomically(verb.html, quantization_page(report));
}

// Returns false after SIGINT or SIGTERM.
bool write_dump(const QuantizeVerb& verb, const quantize::Quantization& quantization,
                const graph::Pictures& pictures, const std::vector<std::string>& names) {
  if (verb.dump.empty()) return true;
  const auto dumped = pictures.spread(verb.dump_pictures);
  const auto& graph = quantization.graph;
  if (!quantize::write_layer_dump(graph, names, dumped, verb.out.filename().string(), verb.dump)) {
    fmt::print(stderr, "stopped; {} was not written\n", verb.dump.string());
    return false;
  }
  fmt::print("dumped     {}: layers of {} pictures\n", verb.dump.string(), dumped.count);
  return true;
}

void run_quantize(QuantizeVerb verb, ProgramState& state) {
  set_compute_threads(verb.threads);
  auto& options = verb.options;
  options.threads = static_cast<int>(verb.threads);
  if (!verb.target.empty()) {
    options.target = quantize::read_target(verb.target);
    options.profile = options.target->profile;
  }
  if (verb.weights_given) options.weights = verb.weights;
  leave_out(verb.without, options);
  const auto plan = verb.plan.plan(verb.without);
  if (plan) options.profile = plan->target.profile;
  std::optional<graph::Shape> shape;
  if (!verb.shape.empty()) shape = parse_shape(verb.shape);
  std::optional<Contract> given;
  if (!verb.card.empty()) given = read_contract(verb.card);
  const auto model = quantize::open_float_model(verb.model, shape, given);
  quantize::MixedPrecision precision{.budget = verb.budget};
  keep_float(verb.keep_float, options, precision);
  const bool judges = verb.diagnose || precision.keep > 0 || verb.budget > 0;
  const auto calibration = open_calibration(verb.calibration, verb.pictures,
                                            judges ? options.judged_pictures : 0, model.input());
  const auto& pictures = calibration.pictures;
  const fs::path folder = fs::absolute(verb.out).parent_path();
  make_writable_folder(folder);
  for (const auto& file : {verb.html, verb.json, verb.plan.save}) {
    if (!file.empty()) make_writable_folder(fs::absolute(file).parent_path());
  }
  if (!verb.dump.empty()) quantize::expect_dump_folder(verb.dump);
  const Measure measure = open_measure(verb, model);
  precision.error = measure.error;
  precision.better = measure.better;
  if (measure.name == "metric") precision.sensitivity = quantize::Sensitivity::kError;
  if (judges) {
    precision.judged = calibration.judged;
    fmt::print("layers judged by {}\n", calibration.judged_by);
  }
  const auto mixed =
      plan ? quantize::MixedQuantization{quantize::quantize_graph(
                 model.graph, *plan, model.contract, pictures, options)}
           : quantize::quantize_mixed(model.graph, model.contract, pictures, options, precision);
  const auto& quantization = mixed.quantization;
  fmt::print("{} {} pictures; |INT8 - float| depth on {} of them\n",
             plan ? "by a plan, with" : "calibrated with", pictures.count,
             std::min(pictures.count, options.judged_pictures));
  fmt::print("{:<20} {:>10} {:>10} {:>10} {:>12} {:>10}\n", "with all up to", "mean mm",
             "median mm", "mean %", "equal levels", "shift");
  QuantizationReport report{.model = verb.model.filename().string(),
                            .file = verb.out.filename().string(),
                            .profile = std::string(enum_name(options.profile)),
                            .float_layers = quantization.plan.float_convs};
  for (const auto& stage : quantization.stages) {
    report.stages.push_back(reported(stage.name, stage.error));
    print_stage(report.stages.back());
  }
  print_layers(quantization.layers);
  print_kept(mixed, measure.name, measure.better);
  if (verb.diagnose) diagnose(report, measure, quantization, model.contract, calibration.judged);
  const auto checked = pictures.spread(options.judged_pictures);
  const auto check = quantize::write_quantized(
      quantization, model.contract, checked, options.profile, folder / verb.out.filename(), &model);
  for (const auto& note : check.notes) fmt::print("note       {}\n", note);
  report.stages.push_back(reported("file, OpenVINO", check.error));
  print_stage(report.stages.back());
  verb.plan.write(quantization, model.contract);
  write_reports(verb, report);
  fmt::print("written    {} ({:.1f} MB)\n", verb.out.string(),
             static_cast<double>(check.bytes) / 1e6);
  if (!write_dump(verb, quantization, pictures, check.value_names))
    state.exit_code = kExitInterrupted;
}

}  // namespace

void add_quantize(CLI::App& program, ProgramState& state) {
  const auto options = std::make_shared<QuantizeVerb>();
  CLI::App* verb = program.add_subcommand(
      "quantize", "Bring a network to 8 bits so that its depth stays, as ONNX with Q/DQ pairs");
  verb->add_option("MODEL", options->model, "checkpoint (.safetensors) or float ONNX file")
      ->required();
  verb->add_option("--card", options->card,
                   "contract (JSON) of an ONNX file that carries none; takes the place of its own")
      ->type_name("FILE");
  verb->add_option(
          "--calibration", options->calibration,
          "folder of pictures, text file that lists pictures (.txt), raw inputs as the model takes "
          "them (.npy, .npz), or a YAML whose training samples are taken")
      ->required()
      ->type_name("FOLDER|FILE|CONFIG");
  verb->add_option("--out", options->out, "file to write")->required()->type_name("FILE");
  CLI::Option* profile =
      add_enum_option(*verb, "--profile", options->options.profile, "runtime that the file is for");
  verb->add_option(
          "--target", options->target,
          "JSON file that describes another chip (quantize/target.h), in place of --profile")
      ->type_name("FILE")
      ->excludes(profile);
  add_enum_option(*verb, "--ranges", options->options.ranges, "how the ends of a grid are chosen");
  add_enum_option(*verb, "--weights", options->weights,
                  "scales of filters; npu has only one for each tensor")
      ->each([options](const std::string&) { options->weights_given = true; });
  verb->add_option("--pictures", options->pictures, "of calibration, evenly spread")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  verb->add_option("--without", options->without,
                   "leave a step out: centring, equalization, bias-correction, adaptive-rounding")
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(kSteps), std::end(kSteps))))
      ->type_name("STEP");
  CLI::Option* keep = verb->add_option(
      "--keep-float", options->keep_float,
      "convolutions that stay float: by name, or so many of those that harm depth most");
  keep->type_name("NAME...|N");
  verb->add_option(
          "--budget", options->budget,
          "keep as few convolutions in 16 bits, where --target has them, and then in float as hold "
          "the error (abs_rel) within so many times float's; needs --metric, or a YAML with "
          "data.val_split to calibrate with, whose samples then "
          "judge")
      ->check(CLI::Range(1.0, 100.0))
      ->type_name("RATIO")
      ->excludes(keep);
  CLI::Option* metric = verb->add_option(
      "--metric", options->metric.command,
      "command that judges for --budget, --keep-float N and --diagnose in place of abs_rel: "
      "{model} "
      "becomes the path of a candidate's ONNX file, the last line printed is a number, lower is "
      "better");
  metric->type_name("CMD");
  verb->add_flag("--metric-higher", options->metric_higher, "higher numbers of --metric are better")
      ->needs(metric);
  verb->add_option("--metric-timeout", options->metric_timeout, "seconds that one run may take")
      ->check(CLI::Range(1, 1000000))
      ->needs(metric)
      ->capture_default_str();
  add_plan_options(*verb, options->plan);
  verb->add_flag("--diagnose", options->diagnose,
                 "also measure each layer alone in 8 bits, the worst first");
  verb->add_option("--html", options->html, "also write a page with tables and plots")
      ->type_name("FILE");
  verb->add_option("--json", options->json, "also write all numbers")->type_name("FILE");
  CLI::Option* dump = verb->add_option("--dump", options->dump,
                                       "also write what each layer computes, for compare-layers: "
                                       "a new folder, or one with an earlier dump");
  dump->type_name("DIR");
  verb->add_option("--dump-pictures", options->dump_pictures,
                   "calibration pictures that are dumped, evenly spread")
      ->check(CLI::Range(1, 10000))
      ->needs(dump)
      ->capture_default_str();
  verb->add_option("--shape", options->shape, "of the picture; default: the model's own")
      ->type_name("1x3xHxW");
  verb->add_option("--threads", options->threads, "of the CPU's computation; 0: all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  verb->footer(
      "Example: dualdepth quantize runs/kitti/checkpoints/best.safetensors \\\n"
      "           --calibration configs/kitti.yaml --out depth_int8.onnx");
  verb->callback([options, &state] {
    options->metric.time_limit = std::chrono::seconds(options->metric_timeout);
    try {
      run_quantize(*options, state);
    } catch (const quantize::MetricInterrupted&) {
      fmt::print(stderr, "stopped; {} was not written\n", options->out.string());
      state.exit_code = kExitInterrupted;
    }
  });
}

}  // namespace dualdepth
