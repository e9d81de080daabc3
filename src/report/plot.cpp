#include "dualdepth/report/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/imgproc.hpp>

#include "dualdepth/io/encode_image.h"
#include "dualdepth/report/base64.h"
#include "dualdepth/report/html.h"
#include "plot_axes.h"

namespace dualdepth {
namespace {

bool can_be_drawn(const cv::Point2d& point, const PlotOptions& options) {
  return std::isfinite(point.x) && std::isfinite(point.y) && (!options.log_y || point.y > 0);
}

// The smallest box around all points; empty when there are none.
struct Extent {
  double left = std::numeric_limits<double>::infinity(), right = -left;
  double low = left, high = -left;

  bool is_empty() const { return left > right; }
};

Extent extent_of(const std::vector<Series>& series, const PlotOptions& options) {
  Extent extent;
  for (const Series& line : series) {
    for (const cv::Point2d& point : line.points) {
      if (!can_be_drawn(point, options)) continue;
      extent.left = std::min(extent.left, point.x);
      extent.right = std::max(extent.right, point.x);
      extent.low = std::min(extent.low, point.y);
      extent.high = std::max(extent.high, point.y);
    }
  }
  return extent;
}

// Widens what has no width, so that it can be divided by.
void widen(double& low, double& high) {
  if (low < high) return;
  const double room = std::max(std::abs(low) * 0.1, 1e-6);
  low -= room;
  high += room;
}

std::string draw_line(const Series& line, size_t index, const Axis& x, const Axis& y,
                      const PlotOptions& options) {
  std::string points;
  std::string last;
  for (const cv::Point2d& point : line.points) {
    if (!can_be_drawn(point, options)) continue;
    points += fmt::format("{:.1f},{:.1f} ", x.at(point.x), y.at(point.y));
    last = fmt::format("cx=\"{:.1f}\" cy=\"{:.1f}\"", x.at(point.x), y.at(point.y));
  }
  if (points.empty()) return "";
  const char* color = series_color(index);
  return fmt::format(
      "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>"
      "<circle {} r=\"3\" fill=\"{}\"/>\n",
      points, color, last, color);
}

std::string draw_legend(const std::vector<Series>& series) {
  if (series.size() < 2) return "";
  std::string svg;
  double at = kPlotLeft + 8;
  for (size_t i = 0; i < series.size(); ++i) {
    svg += fmt::format(
        "<rect x=\"{:g}\" y=\"{:g}\" width=\"12\" height=\"4\" fill=\"{}\"/>"
        "<text x=\"{:g}\" y=\"{:g}\">{}</text>\n",
        at, kPlotTop + 8, series_color(i), at + 16, kPlotTop + 14, html_text(series[i].name));
    at += 30 + 7.2 * static_cast<double>(series[i].name.size());
  }
  return svg;
}

// Counts as a greyscale-to-blue picture with the origin at the lower left, as PNG in base64.
std::string density_picture(const std::vector<int64_t>& counts, int cells) {
  const int64_t most = std::max<int64_t>(1, *std::ranges::max_element(counts));
  cv::Mat4b picture(cells, cells, cv::Vec4b(0, 0, 0, 0));
  for (int truth = 0; truth < cells; ++truth) {
    for (int predicted = 0; predicted < cells; ++predicted) {
      const int64_t count = counts[static_cast<size_t>(truth) * cells + predicted];
      if (count == 0) continue;
      const double share = std::log1p(count) / std::log1p(most);
      picture(cells - 1 - predicted, truth) =
          cv::Vec4b(0, 114, 178, cv::saturate_cast<uchar>(40 + 215 * share));  // RGBA
    }
  }
  return base64(encode_png(picture));
}

}  // namespace

std::string line_plot(const std::vector<Series>& series, const PlotOptions& options) {
  Extent extent = extent_of(series, options);
  if (extent.is_empty()) return "";
  if (options.from_zero && !options.log_y) extent.low = std::min(extent.low, 0.0);
  widen(extent.left, extent.right);
  widen(extent.low, extent.high);
  if (options.log_y && extent.low <= 0) extent.low = extent.high / 10;
  const Axis x{extent.left, extent.right, kPlotLeft, kPlotWidth - kPlotRight};
  const Axis y{extent.low, extent.high, kPlotHeight - kPlotBottom, kPlotTop, options.log_y};
  std::string svg = svg_head(options, kPlotHeight) + draw_axes(x, y, options);
  for (size_t i = 0; i < series.size(); ++i) svg += draw_line(series[i], i, x, y, options);
  return svg + draw_legend(series) + "</svg>\n";
}

std::string density_plot(const std::vector<int64_t>& counts, int cells, double low, double high,
                         const std::string& title) {
  const PlotOptions options{.title = title, .x_label = "true depth, m", .y_label = "predicted, m"};
  constexpr double kSquare = 400;
  const Axis x{low, high, kPlotLeft, kPlotLeft + kSquare, true};
  const Axis y{low, high, kPlotTop + kSquare, kPlotTop, true};
  std::string svg = svg_head(options, kPlotTop + kSquare + kPlotBottom);
  svg += fmt::format(
      "<image x=\"{:g}\" y=\"{:g}\" width=\"{:g}\" height=\"{:g}\" image-rendering=\"pixelated\" "
      "href=\"data:image/png;base64,{}\"/>\n",
      kPlotLeft, kPlotTop, kSquare, kSquare, density_picture(counts, cells));
  svg += draw_axes(x, y, options);
  svg += fmt::format("<line class=\"diagonal\" x1=\"{:g}\" y1=\"{:g}\" x2=\"{:g}\" y2=\"{:g}\"/>\n",
                     x.start, y.start, x.end, y.end);
  return svg + "</svg>\n";
}

}  // namespace dualdepth
