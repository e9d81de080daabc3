#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/progress.h"
#include "dualdepth/codec/precision_table.h"
#include "dualdepth/data/dataset.h"
#include "dualdepth/io/image.h"
#include "dualdepth/io/npz.h"
#include "dualdepth/runtime/device.h"
#include "dualdepth/runtime/head_check.h"
#include "dualdepth/runtime/read_ahead.h"
#include "evaluation_data.h"
#include "runtime_option.h"
#include "verbs.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance = 1e-3;  // m, between composed depth and the model's own
constexpr double kMillimetres = 1000;

struct VerifyOptions {
  fs::path model;
  EvaluationData data;
  fs::path save_heads;
  fs::path json;
  RuntimeOptions runtime;
};

// ID.npz with level, fraction and depth; ID_level.png and ID_fraction.png in 8 bits, as a chip
// would hand them on.
void save_heads(const fs::path& folder, const std::string& id, const Prediction& prediction) {
  const fs::path file = folder / id;
  make_writable_folder(file.parent_path());
  write_npz(fs::path(file).concat(".npz"), {{"level", prediction.level},
                                            {"fraction", prediction.fraction},
                                            {"depth", prediction.depth}});
  cv::Mat level, fraction;
  prediction.level.convertTo(level, CV_8U);
  prediction.fraction.convertTo(fraction, CV_8U, 255);
  write_rgb(fs::path(file).concat("_level.png"), level);
  write_rgb(fs::path(file).concat("_fraction.png"), fraction);
}

std::string bar(double share, double largest) {
  constexpr double kWidth = 40;
  return std::string(static_cast<size_t>(largest > 0 ? kWidth * share / largest : 0), '#');
}

// Counts in at most 16 rows.
void print_histogram(const char* name, const std::vector<int64_t>& counts, double first,
                     double last) {
  constexpr size_t kRows = 16;
  const size_t per_row = (counts.size() + kRows - 1) / kRows;
  std::vector<double> rows;
  for (size_t begin = 0; begin < counts.size(); begin += per_row) {
    const size_t end = std::min(begin + per_row, counts.size());
    rows.push_back(static_cast<double>(
        std::accumulate(counts.begin() + static_cast<ptrdiff_t>(begin),
                        counts.begin() + static_cast<ptrdiff_t>(end), int64_t{0})));
  }
  const double total = std::max(1.0, std::accumulate(rows.begin(), rows.end(), 0.0));
  const double largest = *std::ranges::max_element(rows) / total;
  const double width = (last - first) / static_cast<double>(counts.size());
  fmt::print("\n{}\n", name);
  for (size_t i = 0; i < rows.size(); ++i) {
    fmt::print("  {:>8.4g} {:>7.2f} % {}\n", first + width * static_cast<double>(i * per_row),
               100 * rows[i] / total, bar(rows[i] / total, largest));
  }
}

void print_errors(const HeadReport& report) {
  const auto share = [&](const HeadError& rest) {
    return report.both.mae > 0 ? 100 * rest.mae / report.both.mae : 0;
  };
  fmt::print("\n{:<34} {:>9} {:>10} {:>12}\n", "error", "abs_rel", "mae mm", "of the whole");
  const auto row = [&](const char* name, const HeadError& error) {
    fmt::print("{:<34} {:>9.5f} {:>10.2f} {:>10.1f} %\n", name, error.abs_rel,
               error.mae * kMillimetres, share(error));
  };
  row("both heads predicted", report.both);
  row("level predicted, fraction true", report.with_true_fraction);
  row("level true, fraction predicted", report.with_true_level);

  const auto n = static_cast<double>(report.truth_pixels);
  const auto& away = report.level_distances;
  const auto of = [&](size_t distance) {
    return distance < away.size() ? 100 * static_cast<double>(away[distance]) / n : 0;
  };
  fmt::print("\nlevel right {:.1f} %, off by one {:.1f} %, by two {:.1f} %, by more {:.1f} %\n",
             of(0), of(1), of(2), 100 - of(0) - of(1) - of(2));
  fmt::print("\n{:<20} {:>10} {:>10} {:>12} {:>10}\n", "place in the level", "pixels", "right %",
             "off by one %", "mae mm");
  for (const LevelPlace& place : report.places) {
    fmt::print("{:<4.2f} to {:<12.2f} {:>10} {:>10.1f} {:>12.1f} {:>10.2f}\n", place.from, place.to,
               place.pixels, 100 * place.right, 100 * place.off_by_one, place.mae * kMillimetres);
  }
}

void print_report(const HeadReport& report, const CodecOptions& codec) {
  const PrecisionTable precision = precision_table(codec);
  fmt::print("codec {}, spacing {}, {} levels, {} to {} m: worst round trip in 8 bits {:.3g} mm\n",
             enum_name(codec.codec), enum_name(codec.spacing), codec.n_integer_levels,
             codec.min_depth, codec.max_depth, precision.worst_round_trip * kMillimetres);
  fmt::print("{} pictures, {} pixels, {} with ground truth\n", report.pictures, report.pixels,
             report.truth_pixels);
  fmt::print("levels used {:.1f} %\n", 100 * report.levels_used());
  print_histogram("level", report.level_counts, 0, static_cast<double>(codec.n_integer_levels));
  print_histogram("fraction", report.fraction_counts, 0, 1);
  if (report.truth_pixels > 0) print_errors(report);
}

nlohmann::ordered_json report_json(const HeadReport& report, const CodecOptions& codec) {
  const auto error = [](const HeadError& e) {
    return nlohmann::ordered_json{{"abs_rel", e.abs_rel}, {"mae", e.mae}};
  };
  const PrecisionTable precision = precision_table(codec);
  nlohmann::ordered_json json{{"codec", enum_name(codec.codec)},
                              {"spacing", enum_name(codec.spacing)},
                              {"n_integer_levels", codec.n_integer_levels},
                              {"precision",
                               {{"level_step", precision.level_step},
                                {"fraction_step", precision.fraction_step},
                                {"worst_round_trip", precision.worst_round_trip}}},
                              {"pictures", report.pictures},
                              {"pixels", report.pixels},
                              {"levels_used", report.levels_used()},
                              {"level_counts", report.level_counts},
                              {"fraction_counts", report.fraction_counts},
                              {"worst_difference", report.worst_difference},
                              {"tolerance", kTolerance},
                              {"truth_pixels", report.truth_pixels},
                              {"error",
                               {{"both", error(report.both)},
                                {"with_true_fraction", error(report.with_true_fraction)},
                                {"with_true_level", error(report.with_true_level)}}},
                              {"level_distances", report.level_distances},
                              {"places", nlohmann::ordered_json::array()}};
  for (const LevelPlace& place : report.places) {
    json["places"].push_back({{"from", place.from},
                              {"to", place.to},
                              {"pixels", place.pixels},
                              {"right", place.right},
                              {"off_by_one", place.off_by_one},
                              {"mae", place.mae}});
  }
  return json;
}

HeadReport check_heads(Predictor& predictor, const Dataset& dataset, const VerifyOptions& options) {
  constexpr size_t kSamplesAhead = 4;
  HeadCheck check(predictor.contract().codec);
  ReadAhead<Sample> samples(dataset.size(), kSamplesAhead,
                            [&](size_t index) { return dataset.load(index); });
  ProgressLine progress("verify", dataset.size());
  for (size_t i = 0; i < dataset.size(); ++i) {
    const Sample sample = samples.next();
    const Prediction prediction = predictor.predict(sample.rgb);
    check.add(prediction, sample.depth, sample.valid_mask);
    if (!options.save_heads.empty()) save_heads(options.save_heads, sample.id, prediction);
    progress.update(i + 1);
  }
  return check.report();
}

// "predicted_depth: depth"
std::string outputs_text(const Contract& contract) {
  std::string text;
  for (const OutputContract& output : contract.outputs) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", output.name, enum_name(output.is));
  }
  return text;
}

void run_verify(const VerifyOptions& options, ProgramState& state) {
  const JudgedData judged = options.data.resolve();
  if (!options.save_heads.empty()) make_writable_folder(options.save_heads);
  set_compute_threads(options.runtime.threads);
  const auto model = open_predictor(options.model, options.runtime);
  const Contract& contract = model.predictor->contract();
  if (!contract.has_levels() || contract.output(OutputKind::kFraction) == nullptr) {
    throw Error({.subject = options.model.string(),
                 .expected = "a model with two heads: outputs level (or logits) and fraction",
                 .got = outputs_text(contract),
                 .fix = "judge its depth with dualdepth eval"});
  }
  const auto dataset = open_dataset(judged.data, SplitRole::kValidation);
  const HeadReport report = check_heads(*model.predictor, *dataset, options);
  print_report(report, contract.codec);
  if (!options.json.empty()) {
    write_file_atomically(options.json, report_json(report, contract.codec).dump(2) + "\n");
  }
  const bool holds = report.worst_difference <= kTolerance;
  fmt::print("\ncomposed depth and the model's own differ by at most {:.3g} mm: {}\n",
             report.worst_difference * kMillimetres, holds ? "they agree" : "they do NOT agree");
  if (!holds) state.exit_code = kExitCheckFailed;
}

}  // namespace

void add_verify(CLI::App& program, ProgramState& state) {
  const auto options = std::make_shared<VerifyOptions>();
  CLI::App* verb = program.add_subcommand(
      "verify",
      "Look at the two heads apart: histograms, what each costs, behaviour at levels' ends");
  verb->add_option("MODEL,--model", options->model,
                   "checkpoint (.safetensors), TorchScript (.ts) or ONNX (.onnx)")
      ->required();
  options->data.add_to(*verb);
  verb->add_option("--save-heads", options->save_heads,
                   "also write each picture's level and fraction: npz, and 8-bit PNG")
      ->type_name("DIR");
  verb->add_option("--json", options->json, "also write all numbers")->type_name("FILE");
  add_runtime_options(*verb, options->runtime);
  verb->footer(
      "Exits 1 when the depth composed of both heads is not the model's own to 1 mm.\n"
      "Example: dualdepth verify runs/ncdb/checkpoints/best.safetensors --data configs/ncdb.yaml "
      "--save-heads heads");
  verb->callback([options, &state] { run_verify(*options, state); });
}

}  // namespace dualdepth
