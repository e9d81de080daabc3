#include "dualdepth/report/quantization_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "dualdepth/report/html.h"
#include "dualdepth/report/plot.h"

namespace dualdepth {
namespace {

std::string row(const std::vector<std::string>& cells, const char* kind) {
  std::string html = "<tr>";
  for (const auto& cell : cells) html += fmt::format("<{0}>{1}</{0}>", kind, html_text(cell));
  return html + "</tr>\n";
}

std::string stages_html(const QuantizationReport& report) {
  std::string html =
      "<div class=\"wide\"><table>\n" +
      row({"with all up to", "mean mm", "median mm", "mean %", "equal levels", "level shift"},
          "th");
  for (const auto& stage : report.stages) {
    html +=
        row({stage.name, fmt::format("{:.2f}", stage.mean_mm),
             fmt::format("{:.2f}", stage.median_mm), fmt::format("{:.3f}", stage.percent),
             fmt::format("{:.4f}", stage.equal_levels), fmt::format("{:+.3f}", stage.level_shift)},
            "td");
  }
  return html + "</table></div>\n";
}

std::string error_text(const QuantizationReport& report, double error) {
  return report.measure.empty() ? "-" : fmt::format("{:.4g}", error);
}

std::string layers_html(const QuantizationReport& report) {
  std::string html =
      "<div class=\"wide\"><table>\n" +
      row({"only this in 8 bits", "mean %", "mean mm",
           report.measure.empty() ? "error" : report.measure, "SNR dB", "with all", "advice"},
          "th");
  for (const auto& layer : report.layers) {
    html +=
        row({layer.name, fmt::format("{:.3f}", layer.percent), fmt::format("{:.2f}", layer.mean_mm),
             error_text(report, layer.error), fmt::format("{:.1f}", layer.snr_alone),
             fmt::format("{:.1f}", layer.snr_all), layer.advice},
            "td");
  }
  return html + "</table></div>\n";
}

// A number of each layer over its place.
Series over_places(const std::vector<QuantizationLayer>& layers, const std::string& name,
                   double QuantizationLayer::*number) {
  Series series{.name = name, .points = {}};
  for (const auto& layer : layers) {
    series.points.emplace_back(static_cast<double>(layer.place), layer.*number);
  }
  std::ranges::sort(series.points, {}, [](const cv::Point2d& point) { return point.x; });
  return series;
}

std::string plots_html(const std::vector<QuantizationLayer>& layers) {
  return line_plot({over_places(layers, "alone", &QuantizationLayer::snr_alone),
                    over_places(layers, "with all", &QuantizationLayer::snr_all)},
                   {.title = "Signal to quantization noise",
                    .x_label = "part, in the order of computation",
                    .y_label = "dB"}) +
         line_plot({over_places(layers, "depth", &QuantizationLayer::percent)},
                   {.title = "What each part alone does to depth",
                    .x_label = "part, in the order of computation",
                    .y_label = "mean %"});
}

}  // namespace

nlohmann::ordered_json quantization_json(const QuantizationReport& report) {
  nlohmann::ordered_json json{{"model", report.model},
                              {"file", report.file},
                              {"profile", report.profile},
                              {"stages", nlohmann::ordered_json::array()},
                              {"layers", nlohmann::ordered_json::array()},
                              {"float_layers", report.float_layers}};
  if (!report.measure.empty()) json["float_" + report.measure] = report.float_error;
  for (const auto& stage : report.stages) {
    json["stages"].push_back({{"name", stage.name},
                              {"mean_mm", stage.mean_mm},
                              {"median_mm", stage.median_mm},
                              {"mean_percent", stage.percent},
                              {"equal_levels", stage.equal_levels},
                              {"level_shift", stage.level_shift}});
  }
  for (const auto& layer : report.layers) {
    nlohmann::ordered_json entry{{"name", layer.name},
                                 {"place", layer.place},
                                 {"mean_percent", layer.percent},
                                 {"mean_mm", layer.mean_mm},
                                 {"snr_alone_db", layer.snr_alone},
                                 {"snr_with_all_db", layer.snr_all},
                                 {"advice", layer.advice}};
    if (!report.measure.empty()) entry[report.measure] = layer.error;
    json["layers"].push_back(std::move(entry));
  }
  return json;
}

std::string quantization_page(const QuantizationReport& report) {
  std::string body =
      fmt::format("<p><b>{}</b> in 8 bits, profile {}: {}</p>\n", html_text(report.model),
                  html_text(report.profile), html_text(report.file));
  body += "<h2>Depth after each step</h2>\n<p>|8 bits - float| over all pixels.</p>\n" +
          stages_html(report);
  if (!report.float_layers.empty()) {
    body += "<h2>Left in float</h2>\n<ul>\n";
    for (const auto& name : report.float_layers) {
      body += fmt::format("<li>{}</li>\n", html_text(name));
    }
    body += "</ul>\n";
  }
  if (!report.layers.empty()) {
    body += "<h2>Each part alone, the worst first</h2>\n";
    if (!report.measure.empty()) {
      body += fmt::format("<p>{} in float: {:.4g}</p>\n", report.measure, report.float_error);
    }
    body += plots_html(report.layers) + layers_html(report);
  }
  return html_page("Quantization of " + report.model, body);
}

}  // namespace dualdepth
