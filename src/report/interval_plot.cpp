#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dualdepth/report/html.h"
#include "dualdepth/report/plot.h"
#include "plot_axes.h"

namespace dualdepth {
namespace {

constexpr double kNameHeight = 16;
constexpr double kPointHeight = 11;
constexpr double kRowGap = 8;
constexpr double kMargin = 16;  // left and right of the values

// The smallest range of x that holds all points and whiskers; empty when there are none.
struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;

  void take(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool is_empty() const { return low > high; }
};

Range range_of(const std::vector<IntervalSeries>& series) {
  Range range;
  for (const IntervalSeries& one : series) {
    for (const IntervalPoint& point : one.points) {
      if (!std::isfinite(point.value)) continue;
      range.take(point.value);
      range.take(point.low);
      range.take(point.high);
    }
  }
  return range;
}

// With room at both ends, and never without width.
Axis axis_of(Range range) {
  const double width = range.high - range.low;
  const double room = width > 0 ? 0.04 * width : std::max(std::abs(range.low) * 0.1, 1e-6);
  return {range.low - room, range.high + room, kMargin, kPlotWidth - kMargin};
}

std::string draw_point(const IntervalPoint& point, const Axis& x, double y, const char* color) {
  std::string svg;
  if (std::isfinite(point.low) && std::isfinite(point.high)) {
    svg += fmt::format(
        "<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
        "stroke-width=\"2\"/>\n",
        x.at(point.low), x.at(point.high), y, y, color);
  }
  return svg + fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"{}\"/>\n",
                           x.at(point.value), y, color);
}

std::string draw_ticks(const Axis& x, double top, double bottom) {
  std::string svg;
  for (const double value : x.ticks()) {
    svg += fmt::format(
        "<line class=\"{5}\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:g}\" y2=\"{2:g}\"/>"
        "<text x=\"{0:.1f}\" y=\"{3:g}\" text-anchor=\"middle\">{4:g}</text>\n",
        x.at(value), top, bottom, bottom + 16, value, value == 0 ? "diagonal" : "grid");
  }
  return svg;
}

}  // namespace

std::string interval_plot(const std::vector<std::string>& rows,
                          const std::vector<IntervalSeries>& series, const PlotOptions& options) {
  const Range range = range_of(series);
  if (range.is_empty()) return "";
  const Axis x = axis_of(range);
  const double row_height =
      kNameHeight + kPointHeight * static_cast<double>(series.size()) + kRowGap;
  const double bottom = kPlotTop + row_height * static_cast<double>(rows.size());
  std::string svg = svg_head(options, bottom + kPlotBottom) + draw_ticks(x, kPlotTop, bottom);
  for (size_t row = 0; row < rows.size(); ++row) {
    const double top = kPlotTop + row_height * static_cast<double>(row);
    svg += fmt::format("<text x=\"{:g}\" y=\"{:g}\">{}</text>\n", kMargin, top + 12,
                       html_text(rows[row]));
    for (size_t i = 0; i < series.size(); ++i) {
      if (row >= series[i].points.size()) continue;
      const IntervalPoint& point = series[i].points[row];
      if (!std::isfinite(point.value)) continue;
      const double y = top + kNameHeight + kPointHeight * (static_cast<double>(i) + 0.5);
      svg += draw_point(point, x, y, series_color(i));
    }
  }
  return svg + fmt::format("<text x=\"{:g}\" y=\"{:g}\" text-anchor=\"middle\">{}</text>\n</svg>\n",
                           kPlotWidth / 2, bottom + 36, html_text(options.x_label));
}

}  // namespace dualdepth
