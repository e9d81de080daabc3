#include "page_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "dualdepth/report/html.h"
#include "dualdepth/study/study_folder.h"

namespace dualdepth::study {
namespace {

using Metric = double DepthMetrics::*;

struct Column {
  const char* name;
  Metric metric;
  int digits;
};

constexpr Column kColumns[] = {{"abs_rel", &DepthMetrics::abs_rel, 4},
                               {"rmse, m", &DepthMetrics::rmse, 3},
                               {"d1", &DepthMetrics::d1, 4}};

std::string td(const std::string& text) { return "<td>" + text + "</td>"; }

std::string name_cell(const VariantSummary& row) {
  return fmt::format("<td class=\"name\">{}</td>", html_text(row.variant));
}

std::string number(double value, int digits) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, digits) : "-";
}

// "0.1226 .. 0.1288"; "-" where an end is not known.
std::string between(double low, double high, int digits, bool with_sign = false) {
  if (!std::isfinite(low) || !std::isfinite(high)) return "-";
  return with_sign ? fmt::format("{:+.{}f} .. {:+.{}f}", low, digits, high, digits)
                   : fmt::format("{:.{}f} .. {:.{}f}", low, digits, high, digits);
}

// The mean, the interval over seeds and the interval over pictures, a cell each.
std::string estimate_cells(const MetricEstimates& estimates, const Column& column) {
  const double mean = estimates.mean.*column.metric;
  const double half = estimates.half_width.*column.metric;
  return td("<b>" + number(mean, column.digits) + "</b>") +
         td(between(mean - half, mean + half, column.digits)) +
         td(between(estimates.low.*column.metric, estimates.high.*column.metric, column.digits));
}

bool leaves_out_zero(double low, double high) { return low > 0 || high < 0; }

std::string difference_cells(const MetricEstimates& estimates, const Column& column) {
  const double mean = estimates.mean.*column.metric;
  const double half = estimates.half_width.*column.metric;
  const double low = estimates.low.*column.metric;
  const double high = estimates.high.*column.metric;
  const auto marked = [&](double from, double to) {
    return between(from, to, column.digits, /*with_sign=*/true) +
           (leaves_out_zero(from, to) ? " *" : "");
  };
  return td(fmt::format("<b>{:+.{}f}</b>", mean, column.digits)) +
         td(marked(mean - half, mean + half)) + td(marked(low, high));
}

std::string head_of_estimates() {
  std::string html =
      "<div class=\"wide\"><table class=\"dense\">\n<tr><th rowspan=\"2\">variant</th>";
  for (const Column& column : kColumns) {
    html += fmt::format("<th colspan=\"3\">{}</th>", column.name);
  }
  html += "</tr>\n<tr>";
  for (size_t i = 0; i < std::size(kColumns); ++i) {
    html += "<th>mean</th><th>95 %, seeds</th><th>95 %, pictures</th>";
  }
  return html + "</tr>\n";
}

std::string mm(const MeanInterval& interval) {
  return number(interval.mean, interval.mean < 100 ? 1 : 0);
}

// The names of all ranges that a variant has, in rising order.
std::vector<std::string> ranges_of(const Rows& rows) {
  std::vector<std::string> names;
  for (const VariantSummary* row : rows) {
    const FileSummary* file = row->file(kFloat);
    if (file == nullptr) continue;
    for (const BinSummary& bin : file->bins) {
      if (std::ranges::count(names, bin.name) == 0) names.push_back(bin.name);
    }
  }
  return names;
}

const BinSummary* bin_of(const FileSummary* file, const std::string& name) {
  if (file == nullptr) return nullptr;
  const auto found = std::ranges::find(file->bins, name, &BinSummary::name);
  return found == file->bins.end() ? nullptr : &*found;
}

// mm, never with an exponent.
std::string metres_in_mm(double metres) {
  const double value = 1000 * metres;
  return value < 10 ? fmt::format("{:.2f}", value) : fmt::format("{:.0f}", value);
}

}  // namespace

std::string accuracy_table(const Rows& rows) {
  std::string html = head_of_estimates();
  for (size_t i = 0; i < rows.size(); ++i) {
    const FileSummary* file = rows[i]->file(kFloat);
    if (file == nullptr) continue;
    html +=
        fmt::format("<tr><td class=\"name\">{}&ensp;{}</td>", i + 1, html_text(rows[i]->variant));
    for (const Column& column : kColumns) html += estimate_cells(file->metrics, column);
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

std::string difference_table(const Rows& rows, const std::string& reference) {
  std::string body;
  for (const VariantSummary* row : rows) {
    const FileSummary* file = row->file(kFloat);
    if (file == nullptr || !file->difference) continue;
    const MetricEstimates& difference = *file->difference;
    body += "<tr>" + name_cell(*row);
    for (const Column& column : kColumns) body += difference_cells(difference, column);
    body += "</tr>\n";
  }
  if (body.empty()) return "";
  return fmt::format(
             "<h3>In float, difference from {0}</h3>\n<p>The variant less {0}, paired: the same "
             "seed with the same seed, the same picture with the same picture. * where the "
             "interval leaves 0 out.</p>\n",
             html_text(reference)) +
         head_of_estimates() + body + "</table></div>\n";
}

std::string eight_bit_table(const Rows& rows, const JudgeOptions& judge) {
  std::string html =
      "<div class=\"wide\"><table class=\"dense\">\n<tr><th rowspan=\"2\">variant</th>"
      "<th rowspan=\"2\">scales of filters</th><th rowspan=\"2\">computed</th>"
      "<th colspan=\"3\">against ground truth</th><th rowspan=\"2\">abs_rel, "
      "times float's</th><th colspan=\"3\">against float's depth, all pixels</th></tr>\n"
      "<tr><th>abs_rel</th><th>rmse, m</th><th>d1</th><th>mean mm</th><th>median mm</th>"
      "<th>% within 1.25</th></tr>\n";
  for (const VariantSummary* row : rows) {
    const FileSummary* as_float = row->file(kFloat);
    for (const WeightGranularity weights : judge.weights) {
      for (const char* ending : {"", "_as_written"}) {
        const FileSummary* file = row->file(quantize_stage(weights) + ending);
        if (file == nullptr || as_float == nullptr) continue;
        html += "<tr>" + name_cell(*row) + td(std::string(enum_name(weights))) +
                td(*ending == '\0' ? "here" : "as written");
        for (const Column& column : kColumns) {
          html += td(number(file->metrics.mean.*column.metric, column.digits));
        }
        html +=
            td(fmt::format("{:.4f}", file->metrics.mean.abs_rel / as_float->metrics.mean.abs_rel)) +
            td(mm(file->mean_mm)) + td(mm(file->median_mm)) +
            td(fmt::format("{:.3f}", 100 * file->within_1_25.mean)) + "</tr>\n";
      }
    }
  }
  return html + "</table></div>\n";
}

std::string range_table(const Rows& rows, const JudgeOptions& judge) {
  const std::vector<std::string> ranges = ranges_of(rows);
  if (ranges.empty()) return "";
  std::string html =
      "<div class=\"wide\"><table class=\"dense\">\n<tr><th rowspan=\"2\">variant</th>"
      "<th rowspan=\"2\">true depth, m</th><th colspan=\"2\">promised by the codec in 8 bits</th>"
      "<th colspan=\"3\">measured</th></tr>\n<tr><th>level step, mm</th>"
      "<th>worst round trip, mm</th><th>abs_rel</th><th>mean error, mm</th>"
      "<th>8 bits moved depth by, mm</th></tr>\n";
  for (const VariantSummary* row : rows) {
    for (const std::string& range : ranges) {
      const BinSummary* measured = bin_of(row->file(kFloat), range);
      const BinSummary* moved = bin_of(row->file(int8_name(judge)), range);
      if (measured == nullptr) continue;
      const auto promised = std::ranges::find(row->promised, range, &PromisedPrecision::name);
      const bool reaches = promised != row->promised.end();
      html += "<tr>" + name_cell(*row) + td(range) +
              td(reaches ? metres_in_mm(promised->level_step) : "-") +
              td(reaches ? metres_in_mm(promised->worst_round_trip) : "-") +
              td(number(measured->abs_rel.mean, 4)) + td(metres_in_mm(measured->mae.mean)) +
              td(moved == nullptr ? "-" : mm(moved->moved_mm)) + "</tr>\n";
    }
  }
  return html + "</table></div>\n";
}

std::string cost_table(const Rows& rows, const JudgeOptions& judge) {
  std::string html =
      "<div class=\"wide\"><table class=\"dense\">\n<tr><th rowspan=\"2\">variant</th>"
      "<th rowspan=\"2\">parameters, M</th><th colspan=\"2\">GMAC a picture</th>"
      "<th colspan=\"2\">handed out in 8 bits, a picture</th><th colspan=\"3\">ms a picture</th>"
      "<th rowspan=\"2\">training, pictures/s</th></tr>\n<tr><th>network</th><th>of it heads</th>"
      "<th>kB</th><th>values</th><th>LibTorch float</th><th>8 bits here</th>"
      "<th>8 bits as written</th></tr>\n";
  const std::string first = quantize_stage(judge.weights.front());
  const auto ms = [](const FileSummary* file) {
    return td(file == nullptr ? "-" : fmt::format("{:.1f}", file->ms_per_picture));
  };
  for (const VariantSummary* row : rows) {
    if (!row->cost) continue;
    const NetworkCost& cost = *row->cost;
    html += "<tr>" + name_cell(*row) +
            td(fmt::format("{:.2f}", static_cast<double>(cost.parameters) / 1e6)) +
            td(fmt::format("{:.3f}", static_cast<double>(cost.macs) / 1e9)) +
            td(fmt::format("{:.4f}", static_cast<double>(cost.head_macs) / 1e9)) +
            td(fmt::format("{:.1f}", static_cast<double>(cost.handed_out_bytes) / 1e3)) +
            td(std::to_string(cost.handed_out_values)) + ms(row->file(kFloat)) +
            ms(row->file(first)) + ms(row->file(first + "_as_written")) +
            td(row->images_per_s > 0 ? fmt::format("{:.1f}", row->images_per_s) : "-") + "</tr>\n";
  }
  return html + "</table></div>\n";
}

}  // namespace dualdepth::study
