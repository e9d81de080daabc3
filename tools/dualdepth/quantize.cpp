#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "calibration_pictures.h"
#include "dualdepth/base/atomic_file.h"
#include "dualdepth/quantize/diagnosis.h"
#include "dualdepth/quantize/quantize_model.h"
#include "dualdepth/runtime/device.h"
#include "enum_option.h"
#include "shape_option.h"
#include "verbs.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

struct QuantizeVerb {
  fs::path model, calibration, out;
  std::string shape;
  WeightGranularity weights = WeightGranularity::kPerChannel;
  bool weights_given = false;
  std::vector<std::string> without;
  fs::path save_ranges, load_ranges;
  size_t pictures = 128;
  int64_t threads = 0;
  bool diagnose = false;
  quantize::QuantizeOptions options;
};

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

void print_error(const std::string& name, const quantize::DepthError& error) {
  fmt::print("{:<20} {:>10.2f} {:>10.2f} {:>10.3f} {:>12.4f} {:>+10.3f}\n", name, 1000 * error.mean,
             1000 * error.median, 100 * error.relative, error.equal_levels, error.level_shift);
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

void print_diagnosis(const std::vector<quantize::LayerNoise>& layers) {
  fmt::print("{:<46} {:>8} {:>10} {:>8} {:>8}  advice\n", "only this in 8 bits", "mean %",
             "mean mm", "SNR dB", "with all");
  for (const auto& layer : layers) {
    fmt::print("{:<46} {:>8.3f} {:>10.2f} {:>8.1f} {:>8.1f}  {}\n", layer.name,
               100 * layer.alone.relative, 1000 * layer.alone.mean, layer.snr_alone, layer.snr,
               layer.advice);
  }
}

void run_quantize(QuantizeVerb verb) {
  set_compute_threads(verb.threads);
  auto& options = verb.options;
  options.threads = static_cast<int>(verb.threads);
  if (verb.weights_given) options.weights = verb.weights;
  leave_out(verb.without, options);
  if (!verb.load_ranges.empty())
    options.given_ranges = quantize::read_range_table(verb.load_ranges);
  std::optional<deploy::Shape> shape;
  if (!verb.shape.empty()) shape = parse_shape(verb.shape);
  const auto model = quantize::open_float_model(verb.model, shape);
  const auto pictures = calibration_pictures(verb.calibration, verb.pictures, model.input());
  const fs::path folder = fs::absolute(verb.out).parent_path();
  make_writable_folder(folder);
  const auto quantization = quantize::quantize_graph(model.graph, model.card, pictures, options);
  fmt::print("calibrated with {} pictures; |INT8 - float| depth on {} of them\n", pictures.count,
             std::min(pictures.count, options.judged_pictures));
  fmt::print("{:<20} {:>10} {:>10} {:>10} {:>12} {:>10}\n", "with all up to", "mean mm",
             "median mm", "mean %", "equal levels", "shift");
  for (const auto& stage : quantization.stages) print_error(stage.name, stage.error);
  print_layers(quantization.layers);
  if (verb.diagnose) {
    print_diagnosis(
        quantize::diagnose(quantization, model.card, pictures.spread(options.judged_pictures)));
  }
  const auto check =
      quantize::write_quantized(quantization, model.card, pictures.spread(options.judged_pictures),
                                options.profile, folder / verb.out.filename());
  print_error("file, OpenVINO", check.error);
  if (!verb.save_ranges.empty()) {
    quantize::write_range_table(verb.save_ranges, quantization.ranges);
  }
  fmt::print("written    {} ({:.1f} MB)\n", verb.out.string(),
             static_cast<double>(check.bytes) / 1e6);
}

}  // namespace

void add_quantize(CLI::App& program, ProgramState&) {
  const auto options = std::make_shared<QuantizeVerb>();
  CLI::App* verb = program.add_subcommand(
      "quantize", "Bring a network to 8 bits so that its depth stays, as ONNX with Q/DQ pairs");
  verb->add_option("MODEL", options->model,
                   "checkpoint (.safetensors) or float ONNX file of export")
      ->required();
  verb->add_option("--calibration", options->calibration,
                   "folder of pictures, or a YAML whose training samples are taken")
      ->required()
      ->type_name("FOLDER|CONFIG");
  verb->add_option("--out", options->out, "file to write")->required()->type_name("FILE");
  add_enum_option(*verb, "--profile", options->options.profile, "runtime that the file is for");
  add_enum_option(*verb, "--ranges", options->options.ranges, "how the ends of a grid are chosen");
  add_enum_option(*verb, "--weights", options->weights,
                  "steps of filters; npu has one per tensor alone")
      ->each([options](const std::string&) { options->weights_given = true; });
  verb->add_option("--pictures", options->pictures, "of calibration, evenly spread")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  verb->add_option("--without", options->without,
                   "leave a step out: centring, equalization, bias-correction, adaptive-rounding")
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(kSteps), std::end(kSteps))))
      ->type_name("STEP");
  verb->add_option("--save-ranges", options->save_ranges, "also write the table of ranges")
      ->type_name("FILE");
  verb->add_option("--load-ranges", options->load_ranges,
                   "ranges in place of measured ones, such as an edited table")
      ->type_name("FILE");
  verb->add_option("--keep-float", options->options.keep_float, "convolutions that stay float")
      ->type_name("NAME");
  verb->add_flag("--diagnose", options->diagnose,
                 "also measure each layer alone in 8 bits, the worst first");
  verb->add_option("--shape", options->shape, "of the picture; default: the model's own")
      ->type_name("1x3xHxW");
  verb->add_option("--threads", options->threads, "of the CPU's computation; 0: all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  verb->footer(
      "Example: dualdepth quantize runs/kitti/checkpoints/best.safetensors \\\n"
      "           --calibration configs/kitti.yaml --out depth_int8.onnx");
  verb->callback([options] { run_quantize(*options); });
}

}  // namespace dualdepth
