#include "dualdepth/report/evaluation_text.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

namespace dualdepth {
namespace {

nlohmann::ordered_json metrics_json(const DepthMetrics& metrics) {
  auto json = nlohmann::ordered_json::object();
  DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*metric) {
    if (std::isfinite(metrics.*metric)) json[std::string(name)] = metrics.*metric;
  });
  return json;
}

nlohmann::ordered_json intervals_json(const MetricIntervals& intervals) {
  auto json = nlohmann::ordered_json::object();
  DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*metric) {
    const double low = intervals.low.*metric;
    const double high = intervals.high.*metric;
    if (std::isfinite(low) && std::isfinite(high)) json[std::string(name)] = {low, high};
  });
  return json;
}

nlohmann::ordered_json groups_json(const std::vector<GroupMetrics>& groups, bool with_instances) {
  auto json = nlohmann::ordered_json::object();
  for (const GroupMetrics& group : groups) {
    nlohmann::ordered_json& row = json[group.name];
    row = group.pixels > 0 ? metrics_json(group.metrics) : nlohmann::ordered_json::object();
    row["pixels"] = group.pixels;
    if (with_instances) row["instances"] = group.instances;
  }
  return json;
}

std::string groups_table(const char* heading, const std::vector<GroupMetrics>& groups) {
  std::string table = fmt::format("\n{:<14} {:>9} {:>9} {:>9} {:>9} {:>12}\n", heading, "abs_rel",
                                  "rmse", "mae", "d1", "pixels");
  for (const GroupMetrics& group : groups) {
    const DepthMetrics& m = group.metrics;
    table += group.pixels > 0
                 ? fmt::format("{:<14} {:>9.4f} {:>9.4f} {:>9.4f} {:>9.4f} {:>12}\n", group.name,
                               m.abs_rel, m.rmse, m.mae, m.d1, group.pixels)
                 : fmt::format("{:<14} {:>9} {:>9} {:>9} {:>9} {:>12}\n", group.name, "-", "-", "-",
                               "-", 0);
  }
  return table;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

std::string evaluation_table(const EvaluationResult& result) {
  std::string table =
      fmt::format("protocol {}, scaling {}: {} pictures, {} pixels\n\n", result.protocol,
                  enum_name(result.scaling), result.num_samples(), result.pixels);
  table += fmt::format("{:<14} {:>9}  {:^20} {:>9}\n", "metric", "mean", "95 % interval", "pooled");
  const auto intervals = bootstrap_intervals(result.samples);
  DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*metric) {
    table += fmt::format("{:<14} {:>9.4f}  {:>9.4f} .. {:<8.4f} {:>8.4f}\n", name,
                         result.summary.*metric, intervals.low.*metric, intervals.high.*metric,
                         result.pooled.*metric);
  });
  if (!result.bins.empty()) table += groups_table("metres", result.bins);
  if (!result.classes.empty()) table += groups_table("class", result.classes);
  if (!result.samples_without_pixels.empty()) {
    table += fmt::format("\n{} pictures have no pixel that counts:\n",
                         result.samples_without_pixels.size());
    for (const auto& id : result.samples_without_pixels) table += "  " + id + "\n";
  }
  if (result.non_finite_predictions > 0) {
    table += fmt::format("\n{} predicted pixels were not finite\n", result.non_finite_predictions);
  }
  return table;
}

nlohmann::ordered_json evaluation_json(const EvaluationResult& result,
                                       const nlohmann::ordered_json& config) {
  nlohmann::ordered_json json = {
      {"protocol", result.protocol},
      {"scaling", enum_name(result.scaling)},
      {"summary", metrics_json(result.summary)},
      {"pooled", metrics_json(result.pooled)},
      {"interval_95", intervals_json(bootstrap_intervals(result.samples))},
      {"bins", groups_json(result.bins, /*with_instances=*/false)},
      {"classes", groups_json(result.classes, /*with_instances=*/true)},
      {"num_samples", result.num_samples()},
      {"num_pixels", result.pixels},
      {"samples_without_pixels", result.samples_without_pixels},
      {"non_finite_predictions", result.non_finite_predictions},
      {"per_sample", nlohmann::ordered_json::array()},
      {"config", config}};
  for (const SampleMetrics& sample : result.samples) {
    nlohmann::ordered_json row = {{"id", sample.id}};
    row.update(metrics_json(sample.metrics));
    row["pixels"] = sample.pixels;
    row["scale"] = sample.scale;
    json["per_sample"].push_back(std::move(row));
  }
  return json;
}

std::string evaluation_csv(const EvaluationResult& result) {
  std::string csv = "id";
  DepthMetrics::visit_fields(
      [&](std::string_view name, double DepthMetrics::*) { csv += fmt::format(",{}", name); });
  csv += ",pixels,scale\n";
  for (const SampleMetrics& sample : result.samples) {
    csv += csv_field(sample.id);
    DepthMetrics::visit_fields([&](std::string_view, double DepthMetrics::*metric) {
      csv += fmt::format(",{}", sample.metrics.*metric);
    });
    csv += fmt::format(",{},{}\n", sample.pixels, sample.scale);
  }
  return csv;
}

}  // namespace dualdepth
