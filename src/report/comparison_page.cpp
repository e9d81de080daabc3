#include "dualdepth/report/comparison_page.h"

#include <fmt/format.h>

#include <string_view>

#include "dualdepth/report/comparison_text.h"
#include "dualdepth/report/html.h"
#include "dualdepth/report/picture_panels.h"
#include "dualdepth/report/plot.h"

namespace dualdepth {
namespace {

constexpr double kMegabyte = 1e6;

using Names = std::vector<std::string>;

std::string folded(std::string_view summary, const std::string& html) {
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", summary, html);
}

// Three digits, and never with an exponent.
std::string mm_text(double mm) {
  return mm < 100 ? fmt::format("{:.3g}", mm) : fmt::format("{:.0f}", mm);
}

std::string introduction(const Comparison& comparison, const Names& names) {
  const EvaluationResult& first = comparison.results.front().result;
  std::string html =
      fmt::format("<p>{} models on {} pictures, evaluated under the protocol <b>{}</b>.",
                  names.size(), first.num_samples(), html_text(first.protocol));
  if (names.size() < 2) return html + "</p>\n";
  html += fmt::format(
      " The first, <b>{}</b>, is the reference: the page shows what changes when another model "
      "takes its place, for instance the same network in 8 bits.</p>\n<ul>\n",
      html_text(names.front()));
  for (size_t i = 1; i < names.size(); ++i) {
    const DepthDifference& d = comparison.results[i].to_first;
    const MetricDelta delta = comparison.deltas[i - 1].of(&DepthMetrics::abs_rel);
    html += fmt::format(
        "<li><b>{}</b> differs from it by less than {} mm in half of all pixels and by {} "
        "mm on average. {:.2f} % of the pixels stay within a factor of 1.25 of its depth, {:.2f} % "
        "within 1.05. The error against ground truth (abs_rel) changes by {:+.4f}, {}.{}</li>\n",
        html_text(names[i]), mm_text(d.median_mm), mm_text(d.mean_mm), 100 * d.within_1_25,
        100 * d.within_1_05, delta.mean,
        delta.is_significant() ? "more than chance explains"
                               : "which is within chance on so many pictures",
        d.without_depth > 0 ? fmt::format(" {} pixels have no depth.", d.without_depth) : "");
  }
  return html + "</ul>\n";
}

std::string main_row(const ComparedResult& compared, const std::string& name, bool is_first) {
  const DepthMetrics& m = compared.result.summary;
  const DepthDifference& d = compared.to_first;
  return fmt::format(
      "<tr><td class=\"name\">{}</td><td>{:.4f}</td><td>{:.3f}</td><td>{:.4f}</td>{}<td>{}</td>"
      "<td>{:.1f}</td></tr>\n",
      html_text(name), m.abs_rel, m.rmse, m.d1,
      is_first ? std::string("<td>-</td><td>-</td>")
               : fmt::format("<td>{:.1f}</td><td>{:.2f}</td>", d.mean_mm, 100 * d.within_1_25),
      time_text(compared.ms_per_picture), static_cast<double>(compared.bytes) / kMegabyte);
}

std::string main_table(const Comparison& comparison, const Names& names) {
  std::string html = fmt::format(
      "<div class=\"wide\"><table>\n"
      "<tr><th rowspan=\"2\">model</th><th colspan=\"3\">against ground truth</th>"
      "<th colspan=\"2\">against the depth of {}, all pixels</th><th colspan=\"2\">cost</th></tr>\n"
      "<tr><th>abs_rel</th><th>rmse, m</th><th>d1</th><th>mean mm</th><th>% within 1.25</th>"
      "<th>ms</th><th>MB</th></tr>\n",
      html_text(names.front()));
  for (size_t i = 0; i < names.size(); ++i) {
    html += main_row(comparison.results[i], names[i], i == 0);
  }
  return html +
         "</table></div>\n"
         "<p class=\"note\"><b>abs_rel</b>: mean of |predicted - true| / true. <b>rmse</b>: root "
         "of the mean squared error. <b>d1</b>: share of pixels whose predicted and true depth "
         "differ by less than a factor of 1.25. <b>mean mm</b>: mean of |depth - depth of the "
         "first model|, in millimetres. <b>within 1.25</b>: share of pixels where the greater of "
         "the two models' depths is less than 1.25 times the smaller. Sky and all else without "
         "ground truth count in both. <b>ms</b>: time of one picture, resizing included; "
         "<b>MB</b>: size of the file.</p>\n";
}

std::string all_differences(const Comparison& comparison, const Names& names) {
  std::string html =
      "<div class=\"wide\"><table>\n<tr><th>model</th><th>mean mm</th><th>median mm</th>"
      "<th>% within 1.25</th><th>% within 1.05</th><th>pixels</th><th>without depth</th></tr>\n";
  for (size_t i = 1; i < names.size(); ++i) {
    const DepthDifference& d = comparison.results[i].to_first;
    html += fmt::format(
        "<tr><td class=\"name\">{}</td><td>{:.1f}</td><td>{:.2f}</td><td>{:.2f}</td>"
        "<td>{:.2f}</td><td>{}</td><td>{}</td></tr>\n",
        html_text(names[i]), d.mean_mm, d.median_mm, 100 * d.within_1_25, 100 * d.within_1_05,
        d.pixels, d.without_depth);
  }
  return html + "</table></div>\n";
}

std::string histogram(const Comparison& comparison, const Names& names) {
  if (names.size() < 2) return "";
  std::vector<BarSeries> series;
  for (size_t i = 1; i < names.size(); ++i) {
    const auto& shares = comparison.results[i].to_first.histogram;
    series.push_back({.name = names[i], .shares = {shares.begin(), shares.end()}});
  }
  std::vector<std::string> edges;
  edges.reserve(DepthDifference::kEdges.size());
  for (const int mm : DepthDifference::kEdges) {
    edges.push_back(mm < 1000 ? std::to_string(mm) : fmt::format("{} m", mm / 1000));
  }
  return fmt::format("<h2>How far depth moved from that of {}</h2>\n", html_text(names.front())) +
         color_legend({names.begin() + 1, names.end()}) + "<div class=\"single\">" +
         histogram_plot(series, edges,
                        {.title = "Pixels by how far their depth moved",
                         .x_label = "|depth - depth of the first model|, mm where no unit is given",
                         .y_label = "% of all pixels"}) +
         "</div>\n";
}

std::string all_metrics(const Comparison& comparison, const Names& names) {
  std::string html = "<div class=\"wide\"><table>\n<tr><th>metric</th>";
  for (const std::string& name : names) html += fmt::format("<th>{}</th>", html_text(name));
  html += "</tr>\n";
  DepthMetrics::visit_fields([&](std::string_view metric_name, double DepthMetrics::*metric) {
    html += fmt::format("<tr><td>{}</td>", metric_name);
    for (const ComparedResult& compared : comparison.results) {
      html += fmt::format("<td>{:.4f}</td>", compared.result.summary.*metric);
    }
    html += "</tr>\n";
  });
  return html + "</table></div>\n";
}

std::string all_deltas(const Comparison& comparison, const Names& names) {
  std::string html =
      "<p>Mean over pictures with its 95 % interval; * where the interval leaves 0 out.</p>\n"
      "<div class=\"wide\"><table>\n<tr><th>metric</th>";
  for (size_t i = 1; i < names.size(); ++i) {
    html += fmt::format("<th>{}</th>", html_text(names[i]));
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

std::string bins_table(const Comparison& comparison, const Names& names) {
  std::string html = "<div class=\"wide\"><table>\n<tr><th>true depth, m</th>";
  for (const std::string& name : names) html += fmt::format("<th>{}</th>", html_text(name));
  html += "</tr>\n";
  for (const ComparedBin& bin : compared_bins(comparison)) {
    html += fmt::format("<tr><td>{}</td>", bin.name);
    for (const std::string& cell : bin.abs_rel) html += fmt::format("<td>{}</td>", cell);
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

std::string figure(const Comparison& comparison, const Names& names,
                   const ComparedPictures& pictures) {
  std::string html =
      fmt::format("<figure>\n<figcaption><b>{}</b></figcaption>\n<div class=\"panels three\">\n",
                  html_text(pictures.id));
  html += picture_panel("picture", pictures.rgb);
  html += truth_panel(pictures.truth, comparison.max_depth);
  html += "<div></div>\n";
  const cv::Mat& first = pictures.predictions.front();
  for (size_t i = 0; i < pictures.predictions.size(); ++i) {
    const cv::Mat& depth = pictures.predictions[i];
    html += depth_panel(names[i] + ": depth", depth, comparison.max_depth);
    html += i == 0 ? text_panel("the other models are compared with this one")
                   : difference_panel(names[i] + ": difference from " + names[0], depth, first);
    html +=
        relative_error_panel(names[i] + ": error relative to ground truth", depth, pictures.truth);
  }
  return html + "</div>\n</figure>\n";
}

std::string figures(const Comparison& comparison, const Names& names) {
  if (comparison.pictures.empty()) return "";
  std::string html = fmt::format(
      "<h2>Pictures</h2>\n<p>Those whose abs_rel grew most from {} to {}, the worst first. Ground "
      "truth exists only where the sensor measured; those points are drawn larger.</p>\n"
      "<div class=\"panels three\">\n{}{}{}</div>\n",
      html_text(names.front()), html_text(names.back()), depth_color_legend(comparison.max_depth),
      difference_legend(), relative_error_legend());
  for (const ComparedPictures& pictures : comparison.pictures) {
    html += figure(comparison, names, pictures);
  }
  return html;
}

std::string paths(const Comparison& comparison, const Names& names) {
  std::string html = "<h2>Files and settings</h2>\n<ul class=\"paths\">\n";
  for (size_t i = 0; i < names.size(); ++i) {
    html += fmt::format("<li><b>{}</b>: {}</li>\n", html_text(names[i]),
                        html_text(comparison.results[i].name));
  }
  return html + "</ul>\n";
}

}  // namespace

std::string comparison_page(const Comparison& comparison) {
  const Names names = short_names_of(comparison);
  std::string body = introduction(comparison, names) + main_table(comparison, names);
  body += folded("All metrics against ground truth", all_metrics(comparison, names));
  if (!comparison.deltas.empty()) {
    body += folded("All differences from the depth of " + html_text(names.front()),
                   all_differences(comparison, names));
    body += folded("Differences of the metrics from those of " + html_text(names.front()),
                   all_deltas(comparison, names));
  }
  body += histogram(comparison, names);
  if (!comparison.results.front().result.bins.empty()) {
    body += "<h2>abs_rel by range of depth</h2>\n" + bins_table(comparison, names);
  }
  body += figures(comparison, names) + paths(comparison, names);
  body += folded("Settings",
                 fmt::format("<pre class=\"wide\">{}</pre>", html_text(comparison.config.dump(2))));
  return html_page(fmt::format("Comparison of {} models", names.size()), body);
}

}  // namespace dualdepth
