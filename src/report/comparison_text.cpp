#include "dualdepth/report/comparison_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "dualdepth/report/model_names.h"

namespace dualdepth {
namespace {

constexpr double kMegabyte = 1e6;

void set_finite(nlohmann::ordered_json& json, std::string_view name, double value) {
  if (std::isfinite(value)) json[std::string(name)] = value;
}

size_t longest(const std::vector<std::string>& texts, size_t at_least) {
  for (const std::string& text : texts) at_least = std::max(at_least, text.size());
  return at_least;
}

std::string main_table(const Comparison& comparison, const std::vector<std::string>& names) {
  const size_t width = longest(names, 5);
  std::string table = fmt::format("{:<{}} {:>8} {:>8} {:>7} {:>9} {:>10} {:>8} {:>8} {:>8} {:>7}\n",
                                  "model", width, "abs_rel", "rmse m", "d1", "mean mm", "median mm",
                                  "in 1.25", "in 1.05", "ms", "MB");
  for (size_t i = 0; i < names.size(); ++i) {
    const ComparedResult& compared = comparison.results[i];
    const DepthMetrics& m = compared.result.summary;
    const DepthDifference& d = compared.to_first;
    table +=
        fmt::format("{:<{}} {:>8.4f} {:>8.3f} {:>7.4f}", names[i], width, m.abs_rel, m.rmse, m.d1);
    table += i == 0 ? fmt::format(" {:>9} {:>10} {:>8} {:>8}", "-", "-", "-", "-")
                    : fmt::format(" {:>9.1f} {:>10.2f} {:>8.4f} {:>8.4f}", d.mean_mm, d.median_mm,
                                  d.within_1_25, d.within_1_05);
    table += fmt::format(" {:>8} {:>7.1f}\n", time_text(compared.ms_per_picture),
                         static_cast<double>(compared.bytes) / kMegabyte);
  }
  if (names.size() < 2) return table;
  table += fmt::format(
      "\nmean and median mm: |depth - depth of {0}|; in 1.25, in 1.05: share of pixels where the "
      "greater of the two\ndepths is less than 1.25 or 1.05 times the smaller. All pixels count, "
      "with and without ground truth.\n",
      names.front());
  for (size_t i = 1; i < names.size(); ++i) {
    const size_t without = comparison.results[i].to_first.without_depth;
    if (without > 0) table += fmt::format("{}: {} pixels without depth\n", names[i], without);
  }
  return table;
}

std::string delta_lines(const Comparison& comparison, const std::vector<std::string>& names) {
  if (comparison.deltas.empty()) return "";
  const size_t width = longest(names, 5);
  std::string lines = fmt::format(
      "\nabs_rel minus that of {}, mean over pictures (95 % interval; * it leaves 0 out)\n",
      names.front());
  for (size_t i = 0; i < comparison.deltas.size(); ++i) {
    lines += fmt::format("{:<{}} {}\n", names[i + 1], width,
                         delta_text(comparison.deltas[i].of(&DepthMetrics::abs_rel)));
  }
  return lines;
}

std::string bin_lines(const Comparison& comparison, const std::vector<std::string>& names) {
  const std::vector<ComparedBin> bins = compared_bins(comparison);
  if (bins.empty()) return "";
  const size_t width = longest(names, 8);
  std::string lines = fmt::format("\n{:<12}", "abs_rel, m");
  for (const std::string& name : names) lines += fmt::format(" {:>{}}", name, width);
  for (const ComparedBin& bin : bins) {
    lines += fmt::format("\n{:<12}", bin.name);
    for (const std::string& cell : bin.abs_rel) lines += fmt::format(" {:>{}}", cell, width);
  }
  return lines + '\n';
}

std::string path_lines(const Comparison& comparison, const std::vector<std::string>& names) {
  const size_t width = longest(names, 5);
  std::string lines = "\n";
  for (size_t i = 0; i < names.size(); ++i) {
    lines += fmt::format("{:<{}} {}\n", names[i], width, comparison.results[i].name);
  }
  return lines;
}

nlohmann::ordered_json difference_json(const DepthDifference& difference) {
  nlohmann::ordered_json json;
  set_finite(json, "mean_mm", difference.mean_mm);
  set_finite(json, "median_mm", difference.median_mm);
  set_finite(json, "within_1_25", difference.within_1_25);
  set_finite(json, "within_1_05", difference.within_1_05);
  json["pixels"] = difference.pixels;
  json["without_depth"] = difference.without_depth;
  json["histogram"] = {{"edges_mm", DepthDifference::kEdges}, {"shares", difference.histogram}};
  return json;
}

nlohmann::ordered_json delta_json(const MetricDeltas& deltas) {
  nlohmann::ordered_json json;
  DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*metric) {
    const MetricDelta delta = deltas.of(metric);
    nlohmann::ordered_json one;
    set_finite(one, "mean", delta.mean);
    set_finite(one, "low", delta.low);
    set_finite(one, "high", delta.high);
    if (!one.is_null()) json[std::string(name)] = std::move(one);
  });
  return json;
}

}  // namespace

std::string delta_text(const MetricDelta& delta) {
  return fmt::format("{:+.4f} ({:+.4f} .. {:+.4f}){}", delta.mean, delta.low, delta.high,
                     delta.is_significant() ? " *" : "");
}

std::string time_text(double ms_per_picture) {
  return ms_per_picture > 0 ? fmt::format("{:.1f}", ms_per_picture) : "-";
}

std::vector<ComparedBin> compared_bins(const Comparison& comparison) {
  std::vector<ComparedBin> bins;
  for (const GroupMetrics& bin : comparison.results.front().result.bins) {
    bins.push_back({.name = bin.name, .abs_rel = {}});
    for (const ComparedResult& compared : comparison.results) {
      const GroupMetrics& group = compared.result.bins.at(bins.size() - 1);
      bins.back().abs_rel.push_back(group.pixels > 0 ? fmt::format("{:.4f}", group.metrics.abs_rel)
                                                     : "-");
    }
  }
  return bins;
}

std::vector<std::string> short_names_of(const Comparison& comparison) {
  std::vector<std::string> paths;
  paths.reserve(comparison.results.size());
  for (const ComparedResult& compared : comparison.results) paths.push_back(compared.name);
  return short_names(paths);
}

std::string comparison_table(const Comparison& comparison) {
  const EvaluationResult& first = comparison.results.front().result;
  const std::vector<std::string> names = short_names_of(comparison);
  return fmt::format("protocol {}, {} pictures\n\n", first.protocol, first.num_samples()) +
         main_table(comparison, names) + delta_lines(comparison, names) +
         bin_lines(comparison, names) + path_lines(comparison, names);
}

nlohmann::ordered_json comparison_json(const Comparison& comparison) {
  const EvaluationResult& first = comparison.results.front().result;
  const std::vector<std::string> names = short_names_of(comparison);
  nlohmann::ordered_json json{{"protocol", first.protocol},
                              {"num_samples", first.num_samples()},
                              {"models", nlohmann::ordered_json::array()}};
  for (size_t i = 0; i < comparison.results.size(); ++i) {
    const ComparedResult& compared = comparison.results[i];
    nlohmann::ordered_json model{{"name", compared.name}, {"short_name", names[i]}};
    DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*metric) {
      set_finite(model["summary"], name, compared.result.summary.*metric);
    });
    for (const GroupMetrics& bin : compared.result.bins) {
      if (bin.pixels > 0) set_finite(model["bins"][bin.name], "abs_rel", bin.metrics.abs_rel);
      model["bins"][bin.name]["pixels"] = bin.pixels;
    }
    if (i > 0) {
      model["to_first"] = difference_json(compared.to_first);
      model["delta"] = delta_json(comparison.deltas[i - 1]);
    }
    if (compared.ms_per_picture > 0) set_finite(model, "ms_per_picture", compared.ms_per_picture);
    model["bytes"] = compared.bytes;
    json["models"].push_back(std::move(model));
  }
  json["config"] = comparison.config;
  return json;
}

}  // namespace dualdepth
