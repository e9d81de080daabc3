#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/progress.h"
#include "dualdepth/quantize/layer_comparison.h"
#include "verbs.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using quantize::ComparedLayer;
using quantize::LayerComparison;

struct CompareLayersVerb {
  fs::path golden, dump, json;
  double least_sqnr = quantize::kLayerSqnr;
};

constexpr size_t kListedNames = 8;

std::string decibel(double sqnr) {
  return sqnr == quantize::kEqualSqnr ? "equal" : fmt::format("{:.1f}", sqnr);
}

void print_layer(const ComparedLayer& layer, size_t width) {
  fmt::print("{:<{}}  {:<12}", layer.name, width, layer.operation);
  if (layer.is_missing) {
    fmt::print(" {:>8}\n", "missing");
    return;
  }
  std::string note = layer.departs ? "  departs" : "";
  if (layer.not_finite > 0) note += fmt::format(", {} NaN or infinite", layer.not_finite);
  fmt::print(" {:>8} {:>10.6f} {:>10.2f} {:>9.3f}{}\n", decibel(layer.sqnr), layer.cosine,
             layer.worst_steps, 100 * layer.equal, note);
}

void print_comparison(const LayerComparison& comparison, const CompareLayersVerb& verb) {
  size_t width = 5;
  for (const auto& layer : comparison.layers) width = std::max(width, layer.name.size());
  fmt::print("{:<{}}  {:<12} {:>8} {:>10} {:>10} {:>9}\n", "layer", width, "operator", "SQNR dB",
             "cosine", "max steps", "equal %");
  for (const auto& layer : comparison.layers) print_layer(layer, width);
  const size_t missing = comparison.missing();
  fmt::print("\n{} of {} layers compared\n", comparison.layers.size() - missing,
             comparison.layers.size());
  if (missing > 0) fmt::print("{} layers are missing in {}\n", missing, verb.dump.string());
  if (const auto& unknown = comparison.unknown; !unknown.empty()) {
    fmt::print("{} values of {} are no golden layers:\n", unknown.size(), verb.dump.string());
    for (size_t i = 0; i < std::min(kListedNames, unknown.size()); ++i) {
      fmt::print("  {}\n", unknown[i]);
    }
    if (unknown.size() > kListedNames) fmt::print("  ...\n");
  }
  if (const ComparedLayer* first = comparison.first_departure()) {
    fmt::print("first layer that departs: {} ({}, SQNR {} dB, at least {:g} expected)\n",
               first->name, first->operation, decibel(first->sqnr), verb.least_sqnr);
  } else {
    fmt::print("no layer departs: SQNR is at least {:g} dB\n", verb.least_sqnr);
  }
}

nlohmann::ordered_json json_of(const LayerComparison& comparison, const CompareLayersVerb& verb) {
  nlohmann::ordered_json json{{"golden", verb.golden.string()},
                              {"dump", verb.dump.string()},
                              {"min_sqnr", verb.least_sqnr},
                              {"first_departure", nullptr},
                              {"layers", nlohmann::ordered_json::array()},
                              {"unknown", comparison.unknown}};
  if (const auto* first = comparison.first_departure()) json["first_departure"] = first->name;
  for (const auto& layer : comparison.layers) {
    nlohmann::ordered_json row{
        {"name", layer.name}, {"operator", layer.operation}, {"shape", layer.shape}};
    if (layer.is_missing) {
      row["missing"] = true;
    } else {
      row.update({{"sqnr", layer.sqnr},
                  {"cosine", layer.cosine},
                  {"max_steps", layer.worst_steps},
                  {"equal", layer.equal},
                  {"not_finite", layer.not_finite},
                  {"departs", layer.departs}});
    }
    json["layers"].push_back(std::move(row));
  }
  return json;
}

void run_compare_layers(const CompareLayersVerb& verb, ProgramState& state) {
  if (!verb.json.empty()) make_writable_folder(fs::absolute(verb.json).parent_path());
  const auto golden = quantize::read_layer_dump(verb.golden);
  const auto comparison = [&] {
    ProgressLine progress("compare", golden.layers.size());
    return quantize::compare_layers(golden, verb.dump, verb.least_sqnr,
                                    [&](size_t done) { progress.update(done); });
  }();
  print_comparison(comparison, verb);
  if (!verb.json.empty()) {
    constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
    write_file_atomically(verb.json,
                          json_of(comparison, verb).dump(2, ' ', false, kReplace) + "\n");
  }
  if (comparison.first_departure() != nullptr) state.exit_code = kExitCheckFailed;
}

}  // namespace

void add_compare_layers(CLI::App& program, ProgramState& state) {
  const auto options = std::make_shared<CompareLayersVerb>();
  CLI::App* verb = program.add_subcommand(
      "compare-layers",
      "Compare what a chip or runtime computes in each layer with the golden tensors of quantize");
  verb->add_option("GOLDEN", options->golden, "folder that quantize --dump wrote")->required();
  verb->add_option("DUMP", options->dump,
                   "another such folder, or one with NAME.npy for each layer as in GOLDEN/values: "
                   "float values, or integer codes of the golden scale")
      ->required();
  verb->add_option("--min-sqnr", options->least_sqnr,
                   "signal-to-quantization-noise ratio in dB below which a layer departs")
      ->check(CLI::Range(-100.0, 300.0))
      ->capture_default_str();
  verb->add_option("--json", options->json, "also write all numbers")->type_name("FILE");
  verb->footer(
      "Exit code: 0 when no layer departs, 1 when one does, 2 for folders that cannot be "
      "compared.\n"
      "Example: dualdepth quantize depth.onnx --calibration pictures --out int8.onnx --dump "
      "golden\n"
      "         dualdepth compare-layers golden from_the_chip --json layers.json");
  verb->callback([options, &state] { run_compare_layers(*options, state); });
}

}  // namespace dualdepth
