#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dualdepth/report/html.h"
#include "dualdepth/report/plot.h"
#include "plot_axes.h"

namespace dualdepth {
namespace {

bool is_finite(const LabelledPoint& point) {
  return std::isfinite(point.x) && std::isfinite(point.y);
}

// The values with room at both ends, and never without width.
Axis axis_of(std::vector<double> values, double start, double end) {
  const auto [low, high] = std::ranges::minmax(values);
  const double width = high - low;
  const double room = width > 0 ? 0.08 * width : std::max(std::abs(low) * 0.1, 1e-6);
  return {low - room, high + room, start, end};
}

}  // namespace

std::string scatter_plot(const std::vector<LabelledPoint>& points, const PlotOptions& options) {
  std::vector<double> xs;
  std::vector<double> ys;
  for (const LabelledPoint& point : points) {
    if (!is_finite(point)) continue;
    xs.push_back(point.x);
    ys.push_back(point.y);
  }
  if (xs.empty()) return "";
  const Axis x = axis_of(xs, kPlotLeft, kPlotWidth - kPlotRight);
  const Axis y = axis_of(ys, kPlotHeight - kPlotBottom, kPlotTop);
  std::string svg = svg_head(options, kPlotHeight) + draw_axes(x, y, options);
  for (const LabelledPoint& point : points) {
    if (!is_finite(point)) continue;
    svg += fmt::format(
        "<circle cx=\"{0:.1f}\" cy=\"{1:.1f}\" r=\"4\" fill=\"{2}\"/>"
        "<text x=\"{3:.1f}\" y=\"{4:.1f}\">{5}</text>\n",
        x.at(point.x), y.at(point.y), series_color(0), x.at(point.x) + 7, y.at(point.y) - 5,
        html_text(point.label));
  }
  return svg + "</svg>\n";
}

}  // namespace dualdepth
