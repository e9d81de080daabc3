#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dualdepth/report/html.h"
#include "dualdepth/report/plot.h"
#include "plot_axes.h"

namespace dualdepth {
namespace {

double percent_of(double share) { return std::isfinite(share) ? 100 * share : 0; }

double greatest_percent(const std::vector<BarSeries>& series) {
  double greatest = 0;
  for (const BarSeries& bars : series) {
    for (const double share : bars.shares) greatest = std::max(greatest, percent_of(share));
  }
  return greatest > 0 ? greatest : 1;
}

}  // namespace

std::string color_legend(const std::vector<std::string>& names) {
  std::string html = "<p class=\"legend\">";
  for (size_t i = 0; i < names.size(); ++i) {
    html += fmt::format("<span><i style=\"background:{}\"></i>{}</span>\n", series_color(i),
                        html_text(names[i]));
  }
  return html + "</p>\n";
}

std::string histogram_plot(const std::vector<BarSeries>& series,
                           const std::vector<std::string>& edges, const PlotOptions& options) {
  if (series.empty()) return "";
  constexpr double kGap = 0.16;  // of an interval, between its bars and the next one's
  const Axis y{0, 1.08 * greatest_percent(series), kPlotHeight - kPlotBottom, kPlotTop};
  const Axis x{0, static_cast<double>(edges.size() + 1), kPlotLeft, kPlotWidth - kPlotRight};
  const double width = x.at(1) - x.at(0);
  std::string svg = svg_head(options, kPlotHeight) + draw_value_axis(y, x.start, x.end) +
                    draw_axis_labels(x, y, options);
  for (size_t i = 0; i < edges.size(); ++i) {
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:g}\" y2=\"{2:g}\"/>"
        "<text x=\"{0:.1f}\" y=\"{3:g}\" text-anchor=\"middle\">{4}</text>\n",
        x.at(static_cast<double>(i + 1)), y.start, y.end, y.start + 16, html_text(edges[i]));
  }
  const double bar = width * (1 - kGap) / static_cast<double>(series.size());
  for (size_t k = 0; k < series.size(); ++k) {
    for (size_t i = 0; i < std::min(series[k].shares.size(), edges.size() + 1); ++i) {
      const double percent = percent_of(series[k].shares[i]);
      if (percent <= 0) continue;
      svg += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\">"
          "<title>{}: {:.2f} %</title></rect>\n",
          x.at(static_cast<double>(i)) + width * kGap / 2 + bar * static_cast<double>(k),
          y.at(percent), bar, y.start - y.at(percent), series_color(k), html_text(series[k].name),
          percent);
    }
  }
  return svg + "</svg>\n";
}

}  // namespace dualdepth
