#include "dualdepth/study/study_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dualdepth/config/options_json.h"
#include "dualdepth/report/html.h"
#include "dualdepth/report/plot.h"
#include "page_tables.h"

namespace dualdepth::study {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string plural(size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

Rows rows_of(const StudyResult& result, const std::string& data) {
  Rows rows;
  for (const VariantSummary& row : result.summary) {
    if (row.data == data && row.done > 0) rows.push_back(&row);
  }
  return rows;
}

std::string introduction(const StudyResult& result) {
  const auto done =
      std::ranges::count_if(result.runs, [](const RunResult& one) { return !one.files.empty(); });
  const StudyConfig& study = result.study;
  return fmt::format(
      "<p>{} from {} on {}: {} of {} done. The variants are compared with <b>{}</b>. Judged by the "
      "{} checkpoint of each run, exported for the profile {}.</p>\n"
      "<p class=\"note\">Two intervals answer different questions. <b>95 %, seeds</b>: where the "
      "mean of other trainings lies (Student's t over the seeds; unknown with one seed). "
      "<b>95 %, pictures</b>: where the mean over other pictures lies (bootstrap over pictures, "
      "each picture's value averaged over seeds). A difference is shown by evidence when both "
      "leave 0 out.</p>\n",
      plural(study.variants.size(), "variant"), plural(study.seeds.size(), "seed"),
      plural(study.data.size(), "data set"), done, plural(result.runs.size(), "run"),
      html_text(study.reference), enum_name(study.judge.checkpoint),
      enum_name(study.judge.profile));
}

IntervalPoint point_of(const FileSummary* file, double DepthMetrics::*metric) {
  if (file == nullptr) return {kNaN, kNaN, kNaN};
  const double mean = file->metrics.mean.*metric;
  const double half = file->metrics.half_width.*metric;
  if (std::isfinite(half)) return {mean, mean - half, mean + half};
  return {mean, file->metrics.low.*metric, file->metrics.high.*metric};
}

std::vector<std::string> numbered_names(const Rows& rows) {
  std::vector<std::string> names;
  names.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    names.push_back(fmt::format("{}  {}", i + 1, rows[i]->variant));
  }
  return names;
}

std::string accuracy_plot(const Rows& rows, const JudgeOptions& judge) {
  IntervalSeries in_float{.name = "float", .points = {}};
  IntervalSeries in_8_bits{.name = int8_name(judge), .points = {}};
  for (const VariantSummary* row : rows) {
    in_float.points.push_back(point_of(row->file(kFloat), &DepthMetrics::abs_rel));
    in_8_bits.points.push_back(point_of(row->file(int8_name(judge)), &DepthMetrics::abs_rel));
  }
  return interval_plot(numbered_names(rows), {in_float, in_8_bits},
                       {.title = "abs_rel with its 95 % interval",
                        .x_label = "abs_rel; over seeds, with one seed over pictures",
                        .y_label = ""});
}

std::string frontier_plot(const Rows& rows) {
  std::vector<LabelledPoint> points;
  for (size_t i = 0; i < rows.size(); ++i) {
    const FileSummary* file = rows[i]->file(kFloat);
    if (file == nullptr) continue;
    points.push_back({std::to_string(i + 1), file->metrics.mean.rmse, file->metrics.mean.abs_rel});
  }
  return scatter_plot(
      points, {.title = "abs_rel over rmse, in float", .x_label = "rmse, m", .y_label = "abs_rel"});
}

std::string cost_plot(const Rows& rows) {
  std::vector<LabelledPoint> points;
  for (size_t i = 0; i < rows.size(); ++i) {
    const FileSummary* file = rows[i]->file(kFloat);
    const auto& cost = rows[i]->cost;
    if (file == nullptr || !cost) continue;
    points.push_back(
        {std::to_string(i + 1), static_cast<double>(cost->macs) / 1e9, file->metrics.mean.abs_rel});
  }
  return scatter_plot(
      points,
      {.title = "abs_rel over cost, in float", .x_label = "GMAC a picture", .y_label = "abs_rel"});
}

// 8 bits move depth by so much: the strictest file of each variant.
std::string moved_plot(const Rows& rows, const JudgeOptions& judge) {
  std::vector<BarSeries> series;
  std::vector<std::string> names;
  for (const VariantSummary* row : rows) {
    const FileSummary* file = row->file(int8_name(judge));
    if (file == nullptr) continue;
    names.push_back(row->variant);
    series.push_back({.name = row->variant, .shares = file->histogram});
  }
  std::vector<std::string> edges;
  edges.reserve(DepthDifference::kEdges.size());
  for (const int edge : DepthDifference::kEdges) {
    edges.push_back(edge < 1000 ? std::to_string(edge) : fmt::format("{} m", edge / 1000));
  }
  // Bars of more variants than there are colors cannot be told apart.
  constexpr size_t kMost = 6;
  if (series.empty() || series.size() > kMost) return "";
  return color_legend(names) + "<div class=\"single\">" +
         histogram_plot(series, edges,
                        {.title = "Pixels by how far 8 bits moved their depth",
                         .x_label = "|depth in 8 bits - depth in float|, mm where no unit is given",
                         .y_label = "% of all pixels"}) +
         "</div>\n";
}

std::string plots(const Rows& rows, const JudgeOptions& judge) {
  std::string html = color_legend({"float", int8_name(judge)}) + "<div class=\"panels\">\n";
  for (const std::string& plot :
       {accuracy_plot(rows, judge), frontier_plot(rows), cost_plot(rows)}) {
    if (!plot.empty()) html += "<div>" + plot + "</div>\n";
  }
  return html + "</div>\n<p class=\"note\">Numbers in the plots are those of the rows.</p>\n" +
         moved_plot(rows, judge);
}

std::string section(const StudyResult& result, const std::string& data) {
  const JudgeOptions& judge = result.study.judge;
  const Rows rows = rows_of(result, data);
  std::string html = fmt::format("<h2>{}</h2>\n", html_text(data));
  if (rows.empty()) return html + "<p>No run on this data is done.</p>\n";
  html += "<h3>In float, against ground truth</h3>\n" + accuracy_table(rows) + plots(rows, judge) +
          difference_table(rows, result.study.reference);
  html +=
      "<h3>In 8 bits</h3>\n<p><b>here</b>: in this project's runtime, whose kernels read the "
      "32-bit sums of the head. <b>as written</b>: each operator of the file as another runtime or "
      "a chip computes it.</p>\n" +
      eight_bit_table(rows, judge);
  html += fmt::format(
              "<h3>Precision by range of depth</h3>\n<p>What the codec can say in 8 bits, and what "
              "the network says: its error in float, and how far {} moved its depth, where float's "
              "depth lies in the range.</p>\n",
              int8_name(judge)) +
          range_table(rows, judge);
  return html +
         "<h3>Cost</h3>\n<p>Times are those of this machine while other runs may have been at "
         "work; GMAC and bytes are exact.</p>\n" +
         cost_table(rows, judge);
}

std::string open_runs(const StudyResult& result) {
  std::string failed;
  std::string waiting;
  for (const RunResult& one : result.runs) {
    if (one.error) {
      failed +=
          fmt::format("<li><b>{}</b>: {}</li>\n", html_text(one.run.id()), html_text(*one.error));
    } else if (one.files.empty()) {
      waiting += fmt::format("<li>{}</li>\n", html_text(one.run.id()));
    }
  }
  std::string html;
  if (!failed.empty()) {
    html += "<h2>Runs that failed</h2>\n<ul class=\"paths\">\n" + failed + "</ul>\n";
  }
  if (!waiting.empty()) {
    html += "<h2>Runs that are not done</h2>\n<ul class=\"paths\">\n" + waiting + "</ul>\n";
  }
  return html;
}

std::string overrides_text(const std::vector<ConfigOverride>& overrides) {
  std::string text;
  for (const ConfigOverride& one : overrides) {
    text += fmt::format("{}<code>{}: {}</code>", text.empty() ? "" : "<br>", html_text(one.key),
                        html_text(one.value));
  }
  return text.empty() ? "the base as it is" : text;
}

std::string variants_table(const StudyConfig& study) {
  std::string html =
      "<h2>What each variant is</h2>\n<div class=\"wide\"><table class=\"left\">\n"
      "<tr><th>variant</th><th>about</th><th>keys that it changes</th></tr>\n";
  for (const StudyVariant& variant : study.variants) {
    html += fmt::format("<tr><td class=\"name\">{}</td><td>{}</td><td>{}</td></tr>\n",
                        html_text(variant.name), html_text(variant.about),
                        overrides_text(variant.overrides));
  }
  html +=
      "</table></div>\n<div class=\"wide\"><table class=\"left\">\n"
      "<tr><th>data set</th><th>base</th><th>keys that it changes</th></tr>\n";
  for (const StudyData& data : study.data) {
    html += fmt::format("<tr><td class=\"name\">{}</td><td>{}</td><td>{}</td></tr>\n",
                        html_text(data.name), html_text(data.base.string()),
                        overrides_text(data.overrides));
  }
  return html + fmt::format(
                    "</table></div>\n<p>Seeds {}. Judged with:</p>\n<pre "
                    "class=\"wide\">{}</pre>\n",
                    fmt::join(study.seeds, ", "), html_text(options_json(study.judge).dump(2)));
}

}  // namespace

std::string study_page(const StudyResult& result) {
  std::string body = introduction(result) + open_runs(result);
  for (const StudyData& data : result.study.data) body += section(result, data.name);
  body += variants_table(result.study);
  return html_page("Study " + result.study.name, body);
}

}  // namespace dualdepth::study
