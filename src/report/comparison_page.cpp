#include "dualdepth/report/comparison_page.h"

#include <fmt/format.h>

#include <string_view>

#include "dualdepth/report/html.h"
#include "dualdepth/report/picture_panels.h"

namespace dualdepth {
namespace {

constexpr double kMegabyte = 1e6;

std::string delta_text(const MetricDelta& delta) {
  return fmt::format("{:+.4f} ({:+.4f} .. {:+.4f}){}", delta.mean, delta.low, delta.high,
                     delta.is_significant() ? " *" : "");
}

std::string speed_text(double ms_per_picture) {
  return ms_per_picture > 0 ? fmt::format("{:.1f}", ms_per_picture) : "-";
}

// Name of each bin and abs_rel of each result in it, "-" without a pixel.
template <class Row>
void for_each_bin(const Comparison& comparison, Row row) {
  for (size_t bin = 0; bin < comparison.results.front().result.bins.size(); ++bin) {
    std::vector<std::string> cells;
    for (const ComparedResult& compared : comparison.results) {
      const GroupMetrics& group = compared.result.bins[bin];
      cells.push_back(group.pixels > 0 ? fmt::format("{:.4f}", group.metrics.abs_rel) : "-");
    }
    row(comparison.results.front().result.bins[bin].name, cells);
  }
}

std::string metrics_html(const Comparison& comparison) {
  std::string html = "<div class=\"wide\"><table>\n<tr><th>model</th>";
  DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*) {
    html += fmt::format("<th>{}</th>", name);
  });
  html += "<th>ms</th><th>MB</th></tr>\n";
  for (const ComparedResult& compared : comparison.results) {
    html += fmt::format("<tr><td>{}</td>", html_text(compared.name));
    DepthMetrics::visit_fields([&](std::string_view, double DepthMetrics::*metric) {
      html += fmt::format("<td>{:.4f}</td>", compared.result.summary.*metric);
    });
    html += fmt::format("<td>{}</td><td>{:.1f}</td></tr>\n", speed_text(compared.ms_per_picture),
                        static_cast<double>(compared.bytes) / kMegabyte);
  }
  return html + "</table></div>\n";
}

std::string deltas_html(const Comparison& comparison) {
  std::string html = "<div class=\"wide\"><table>\n<tr><th>metric</th>";
  for (size_t i = 1; i < comparison.results.size(); ++i) {
    html += fmt::format("<th>{}</th>", html_text(comparison.results[i].name));
  }
  html += "</tr>\n";
  DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*metric) {
    html += fmt::format("<tr><td>{}</td>", name);
    for (const MetricDeltas& deltas : comparison.deltas) {
      html += fmt::format("<td>{}</td>", delta_text(deltas.of(metric)));
    }
    html += "</tr>\n";
  });
  return html + "</table></div>\n";
}

std::string bins_html(const Comparison& comparison) {
  std::string html = "<div class=\"wide\"><table>\n<tr><th>metres</th>";
  for (const ComparedResult& compared : comparison.results) {
    html += fmt::format("<th>{}</th>", html_text(compared.name));
  }
  html += "</tr>\n";
  for_each_bin(comparison, [&](const std::string& name, const std::vector<std::string>& cells) {
    html += fmt::format("<tr><td>{}</td>", name);
    for (const std::string& cell : cells) html += fmt::format("<td>{}</td>", cell);
    html += "</tr>\n";
  });
  return html + "</table></div>\n";
}

std::string figure(const Comparison& comparison, const ComparedPictures& pictures) {
  std::string html =
      fmt::format("<figure>\n<figcaption><b>{}</b></figcaption>\n<div class=\"panels\">\n",
                  html_text(pictures.id));
  html += picture_panel("picture", pictures.rgb);
  html += truth_panel(pictures.truth, comparison.max_depth);
  for (size_t i = 0; i < pictures.predictions.size(); ++i) {
    const std::string& name = comparison.results[i].name;
    html += depth_panel(name, pictures.predictions[i], comparison.max_depth);
    html += error_panel("its absolute error, 0 to 1.5 m", pictures.predictions[i], pictures.truth);
  }
  return html + "</div>\n</figure>\n";
}

}  // namespace

std::string comparison_table(const Comparison& comparison) {
  const ComparedResult& first = comparison.results.front();
  std::string table = fmt::format("protocol {}, {} pictures\n\n", first.result.protocol,
                                  first.result.num_samples());
  size_t width = 5;
  for (const ComparedResult& compared : comparison.results) {
    width = std::max(width, compared.name.size());
  }
  table += fmt::format("{:<{}} {:>9} {:>9} {:>9} {:>9} {:>9}  {}\n", "model", width, "abs_rel",
                       "rmse", "d1", "ms", "MB", "abs_rel against the first (95 % interval)");
  for (size_t i = 0; i < comparison.results.size(); ++i) {
    const ComparedResult& compared = comparison.results[i];
    const DepthMetrics& m = compared.result.summary;
    table +=
        fmt::format("{:<{}} {:>9.4f} {:>9.4f} {:>9.4f} {:>9} {:>9.1f}  {}\n", compared.name, width,
                    m.abs_rel, m.rmse, m.d1, speed_text(compared.ms_per_picture),
                    static_cast<double>(compared.bytes) / kMegabyte,
                    i == 0 ? "" : delta_text(comparison.deltas[i - 1].of(&DepthMetrics::abs_rel)));
  }
  table += fmt::format("\n{:<14}", "abs_rel, m");
  for (size_t i = 0; i < comparison.results.size(); ++i) table += fmt::format(" {:>9}", i + 1);
  table += '\n';
  for_each_bin(comparison, [&](const std::string& name, const std::vector<std::string>& cells) {
    table += fmt::format("{:<14}", name);
    for (const std::string& cell : cells) table += fmt::format(" {:>9}", cell);
    table += '\n';
  });
  return table + "\n* the interval leaves 0 out\n";
}

nlohmann::ordered_json comparison_json(const Comparison& comparison) {
  const EvaluationResult& first = comparison.results.front().result;
  nlohmann::ordered_json json{{"protocol", first.protocol},
                              {"num_samples", first.num_samples()},
                              {"models", nlohmann::ordered_json::array()}};
  for (size_t i = 0; i < comparison.results.size(); ++i) {
    const ComparedResult& compared = comparison.results[i];
    nlohmann::ordered_json model{{"name", compared.name}};
    for (const GroupMetrics& bin : compared.result.bins) {
      if (bin.pixels > 0) model["bins"][bin.name]["abs_rel"] = bin.metrics.abs_rel;
      model["bins"][bin.name]["pixels"] = bin.pixels;
    }
    DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*metric) {
      model["summary"][std::string(name)] = compared.result.summary.*metric;
      if (i == 0) return;
      const MetricDelta delta = comparison.deltas[i - 1].of(metric);
      model["delta"][std::string(name)] = {
          {"mean", delta.mean}, {"low", delta.low}, {"high", delta.high}};
    });
    if (compared.ms_per_picture > 0) model["ms_per_picture"] = compared.ms_per_picture;
    model["bytes"] = compared.bytes;
    json["models"].push_back(std::move(model));
  }
  json["config"] = comparison.config;
  return json;
}

std::string comparison_page(const Comparison& comparison) {
  const EvaluationResult& first = comparison.results.front().result;
  std::string body =
      fmt::format("<p>Protocol <b>{}</b>: {} pictures. ms: of one picture, with resizing.</p>\n",
                  html_text(first.protocol), first.num_samples());
  body += metrics_html(comparison);
  if (!comparison.deltas.empty()) {
    body += fmt::format(
        "<h2>Against {}</h2>\n<p>Mean difference over pictures with its 95 % interval; * where it "
        "leaves 0 out.</p>\n",
        html_text(comparison.results.front().name));
    body += deltas_html(comparison);
  }
  body += "<h2>abs_rel by range of depth</h2>\n" + bins_html(comparison);
  if (!comparison.pictures.empty()) {
    body += "<h2>Pictures that lost most from the first to the last</h2>\n" +
            depth_legend(comparison.max_depth);
    for (const ComparedPictures& pictures : comparison.pictures) {
      body += figure(comparison, pictures);
    }
  }
  body +=
      fmt::format("<details><summary>Settings</summary>\n<pre class=\"wide\">{}</pre></details>\n",
                  html_text(comparison.config.dump(2)));
  return html_page("Comparison of " + std::to_string(comparison.results.size()) + " models", body);
}

}  // namespace dualdepth
