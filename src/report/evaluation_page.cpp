#include "dualdepth/report/evaluation_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <string_view>

#include "dualdepth/report/html.h"
#include "dualdepth/report/picture_panels.h"
#include "dualdepth/report/plot.h"

namespace dualdepth {
namespace {

std::string figure(const SampleMetrics& sample, const SamplePictures& pictures, double max_depth) {
  const cv::Mat prediction = pictures.prediction * sample.scale;
  std::string html = fmt::format(
      "<figure>\n<figcaption><b>{}</b><br>abs_rel {:.4f}, rmse {:.3f} m, d1 {:.3f}, {} pixels"
      "</figcaption>\n<div class=\"panels\">\n",
      html_text(sample.id), sample.metrics.abs_rel, sample.metrics.rmse, sample.metrics.d1,
      sample.pixels);
  html += picture_panel("picture", pictures.rgb);
  html += depth_panel("prediction", prediction, max_depth);
  html += truth_panel(pictures.truth, max_depth);
  html += error_panel("absolute error, 0 to 1.5 m", prediction, pictures.truth);
  return html + "</div>\n</figure>\n";
}

std::string summary_table(const EvaluationResult& result) {
  std::string html =
      "<div class=\"wide\"><table>\n<tr><th>metric</th><th>mean</th><th colspan=\"2\">95 % "
      "interval</th><th>pooled</th></tr>\n";
  const auto intervals = bootstrap_intervals(result.samples);
  DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*metric) {
    html += fmt::format(
        "<tr><td>{}</td><td>{:.4f}</td><td>{:.4f}</td><td>{:.4f}</td><td>{:.4f}</td></tr>\n", name,
        result.summary.*metric, intervals.low.*metric, intervals.high.*metric,
        result.pooled.*metric);
  });
  return html + "</table></div>\n";
}

// Pooled metrics of ranges or classes; nothing where there are none.
std::string groups_table(std::string_view heading, const std::vector<GroupMetrics>& groups) {
  if (groups.empty()) return "";
  std::string html = fmt::format("<div class=\"wide\"><table>\n<tr><th>{}</th>", heading);
  for (const char* name : {"abs_rel", "rmse", "mae", "d1", "pixels"}) {
    html += fmt::format("<th>{}</th>", name);
  }
  html += "</tr>\n";
  for (const GroupMetrics& group : groups) {
    html += fmt::format("<tr><td>{}</td>", html_text(group.name));
    for (double DepthMetrics::*metric :
         {&DepthMetrics::abs_rel, &DepthMetrics::rmse, &DepthMetrics::mae, &DepthMetrics::d1}) {
      html += group.pixels > 0 ? fmt::format("<td>{:.4f}</td>", group.metrics.*metric)
                               : std::string("<td>-</td>");
    }
    html += fmt::format("<td>{}</td></tr>\n", group.pixels);
  }
  return html + "</table></div>\n";
}

std::string distribution_plots(const EvaluationResult& result) {
  if (!result.distribution) return "";
  const DepthDistribution& distribution = *result.distribution;
  Series relative{"abs_rel", {}}, absolute{"mean absolute error", {}};
  for (const DistanceError& error : distribution.distance_errors()) {
    if (error.pixels == 0) continue;
    const double middle = (error.from + error.to) / 2;
    relative.points.emplace_back(middle, error.abs_rel);
    absolute.points.emplace_back(middle, error.mae);
  }
  return "<h2>Prediction against truth</h2>\n<div class=\"panels\">\n" +
         density_plot(distribution.counts(), DepthDistribution::kCells, distribution.low(),
                      distribution.high(), "Predicted against true depth, pixels") +
         line_plot({relative}, {.title = "Relative error over distance",
                                .x_label = "true depth, m",
                                .y_label = "abs_rel"}) +
         line_plot({absolute}, {.title = "Absolute error over distance",
                                .x_label = "true depth, m",
                                .y_label = "mean |error|, m"}) +
         "</div>\n";
}

std::string sample_table(const EvaluationResult& result) {
  std::string html =
      "<details><summary>All pictures</summary>\n<div class=\"wide\"><table>\n<tr><th>id</th>";
  DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*) {
    html += fmt::format("<th>{}</th>", name);
  });
  html += "</tr>\n";
  for (const SampleMetrics& sample : result.samples) {
    html += fmt::format("<tr><td>{}</td>", html_text(sample.id));
    DepthMetrics::visit_fields([&](std::string_view, double DepthMetrics::*metric) {
      html += fmt::format("<td>{:.4f}</td>", sample.metrics.*metric);
    });
    html += "</tr>\n";
  }
  html += "</table></div></details>\n";
  if (!result.samples_without_pixels.empty()) {
    html += "<p>Without a pixel that counts, and counted for nothing:</p>\n<ul>\n";
    for (const auto& id : result.samples_without_pixels) {
      html += fmt::format("<li>{}</li>\n", html_text(id));
    }
    html += "</ul>\n";
  }
  return html;
}

std::string section(std::string_view heading, const EvaluationPage& page,
                    const std::vector<size_t>& samples, std::span<const SamplePictures> pictures) {
  if (samples.empty()) return "";
  std::string html = fmt::format("<h2>{}</h2>\n", heading) + depth_legend(page.max_depth);
  for (size_t i = 0; i < samples.size(); ++i) {
    html += figure(page.result.samples[samples[i]], pictures[i], page.max_depth);
  }
  return html;
}

}  // namespace

ExtremeSamples extreme_samples(const EvaluationResult& result, size_t count) {
  std::vector<size_t> order(result.samples.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t i) { return result.samples[i].metrics.abs_rel; });
  const auto n = static_cast<std::ptrdiff_t>(std::min(count, order.size()));
  const auto rest = static_cast<std::ptrdiff_t>(order.size()) - n;
  ExtremeSamples extremes;
  extremes.best.assign(order.begin(), order.begin() + n);
  extremes.worst.assign(order.rbegin(), order.rbegin() + std::min(n, rest));
  return extremes;
}

std::string evaluation_page(const EvaluationPage& page) {
  const std::span<const SamplePictures> pictures(page.pictures);
  const size_t best = page.extremes.best.size();
  std::string body = fmt::format("<p>Protocol <b>{}</b>, scaling {}: {} pictures, {} pixels.</p>\n",
                                 html_text(page.result.protocol), enum_name(page.result.scaling),
                                 page.result.num_samples(), page.result.pixels);
  body += summary_table(page.result);
  body += groups_table("metres", page.result.bins) + groups_table("class", page.result.classes);
  body += distribution_plots(page.result);
  body += section("Best pictures by abs_rel", page, page.extremes.best, pictures.first(best));
  body += section("Worst pictures by abs_rel", page, page.extremes.worst, pictures.subspan(best));
  body += "<h2>Details</h2>\n" + sample_table(page.result);
  body +=
      fmt::format("<details><summary>Settings</summary>\n<pre class=\"wide\">{}</pre></details>\n",
                  html_text(page.config.dump(2)));
  return html_page(page.title, body);
}

}  // namespace dualdepth
