#include "dualdepth/study/study_text.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "dualdepth/config/options_json.h"

namespace dualdepth::study {
namespace {

using Json = nlohmann::ordered_json;
using Metric = double DepthMetrics::*;

void set_finite(Json& json, std::string_view key, double value) {
  if (std::isfinite(value)) json[std::string(key)] = value;
}

Json interval_json(const MeanInterval& interval) {
  Json json = Json::object();
  set_finite(json, "mean", interval.mean);
  if (interval.half_width && std::isfinite(interval.mean)) {
    json["seeds_95"] = {interval.mean - *interval.half_width, interval.mean + *interval.half_width};
  }
  return json;
}

Json estimates_json(const MetricEstimates& estimates) {
  Json json = Json::object();
  DepthMetrics::visit_fields([&](std::string_view name, Metric metric) {
    const double mean = estimates.mean.*metric;
    if (!std::isfinite(mean)) return;
    Json& one = json[std::string(name)];
    one["mean"] = mean;
    const double half = estimates.half_width.*metric;
    if (std::isfinite(half)) one["seeds_95"] = {mean - half, mean + half};
    const double low = estimates.low.*metric;
    const double high = estimates.high.*metric;
    if (std::isfinite(low) && std::isfinite(high)) one["pictures_95"] = {low, high};
  });
  return json;
}

Json run_file_json(const JudgedFile& file) {
  Json json = Json::object();
  DepthMetrics::visit_fields([&](std::string_view name, Metric metric) {
    set_finite(json, name, file.result.summary.*metric);
  });
  if (file.name == kFloat) return json;
  json["mean_mm"] = file.to_float.mean_mm;
  json["median_mm"] = file.to_float.median_mm;
  json["within_1_25"] = file.to_float.within_1_25;
  json["within_1_05"] = file.to_float.within_1_05;
  return json;
}

Json run_json(const RunResult& result, const JudgeOptions& judge) {
  Json json{{"name", result.run.variant}, {"seed", result.run.seed}, {"data", result.run.data}};
  for (const JudgedFile& file : result.files) json[file.name] = run_file_json(file);
  if (const JudgedFile* int8 = result.file(int8_name(judge))) json["int8"] = run_file_json(*int8);
  if (result.error) json["error"] = *result.error;
  return json;
}

Json file_json(const FileSummary& file) {
  Json json{{"metrics", estimates_json(file.metrics)}};
  if (file.difference) json["difference"] = estimates_json(*file.difference);
  json["mean_mm"] = interval_json(file.mean_mm);
  json["median_mm"] = interval_json(file.median_mm);
  json["within_1_25"] = interval_json(file.within_1_25);
  json["bins"] = Json::object();
  for (const BinSummary& bin : file.bins) {
    json["bins"][bin.name] = {{"abs_rel", interval_json(bin.abs_rel)},
                              {"mae_m", interval_json(bin.mae)},
                              {"moved_mm", interval_json(bin.moved_mm)}};
  }
  json["ms_per_picture"] = file.ms_per_picture;
  json["bytes"] = file.bytes;
  return json;
}

Json variant_json(const VariantSummary& row) {
  Json json{{"name", row.variant}, {"data", row.data}, {"runs", row.runs}, {"done", row.done}};
  if (row.cost) json["cost"] = to_json(*row.cost);
  if (row.images_per_s > 0) json["training_images_per_s"] = row.images_per_s;
  json["files"] = Json::object();
  for (const FileSummary& file : row.files) json["files"][file.name] = file_json(file);
  json["promised"] = Json::object();
  for (const PromisedPrecision& bin : row.promised) {
    json["promised"][bin.name] = {{"level_step_m", bin.level_step},
                                  {"worst_round_trip_m", bin.worst_round_trip}};
  }
  return json;
}

// "0.1257 +- 0.0031".
std::string cell(const FileSummary* file, Metric metric, int digits) {
  if (file == nullptr) return "-";
  const double mean = file->metrics.mean.*metric;
  const double half = file->metrics.half_width.*metric;
  if (!std::isfinite(half)) return fmt::format("{:.{}f}", mean, digits);
  return fmt::format("{:.{}f} +- {:.{}f}", mean, digits, half, digits);
}

}  // namespace

std::string study_table(const StudyResult& result) {
  const std::string int8 = int8_name(result.study.judge);
  std::string text;
  std::string data;
  for (const VariantSummary& row : result.summary) {
    if (row.data != data) {
      data = row.data;
      text += fmt::format("\n{}\n{:<24} {:>5} {:>18} {:>16} {:>18} {:>18} {:>9} {:>8}\n", data,
                          "variant", "runs", "abs_rel", "rmse m", "d1", "abs_rel 8 bits", "mean mm",
                          "GMAC");
    }
    const FileSummary* as_float = row.file(kFloat);
    const FileSummary* in_8_bits = row.file(int8);
    text += fmt::format(
        "{:<24} {:>5} {:>18} {:>16} {:>18} {:>18} {:>9} {:>8}\n", row.variant,
        fmt::format("{}/{}", row.done, row.runs), cell(as_float, &DepthMetrics::abs_rel, 4),
        cell(as_float, &DepthMetrics::rmse, 3), cell(as_float, &DepthMetrics::d1, 4),
        cell(in_8_bits, &DepthMetrics::abs_rel, 4),
        in_8_bits == nullptr ? "-" : fmt::format("{:.1f}", in_8_bits->mean_mm.mean),
        row.cost ? fmt::format("{:.2f}", static_cast<double>(row.cost->macs) / 1e9) : "-");
  }
  text +=
      fmt::format("\n8 bits: {}; mean mm: |8 bits - float|; +-: 95 % interval over seeds\n", int8);
  for (const RunResult& one : result.runs) {
    if (one.error) text += fmt::format("failed {}: {}\n", one.run.id(), *one.error);
  }
  return text;
}

nlohmann::ordered_json study_json(const StudyResult& result) {
  Json json{{"study", result.study.name},  {"reference", result.study.reference},
            {"seeds", result.study.seeds}, {"judge", options_json(result.study.judge)},
            {"variants", Json::array()},   {"summary", Json::array()}};
  for (const RunResult& one : result.runs) {
    json["variants"].push_back(run_json(one, result.study.judge));
  }
  for (const VariantSummary& row : result.summary) json["summary"].push_back(variant_json(row));
  return json;
}

}  // namespace dualdepth::study
