#include "plot_axes.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "dualdepth/report/html.h"

namespace dualdepth {
namespace {

// Told apart on light and dark ground, also without colour vision (Okabe and Ito, 2008).
constexpr std::array kColors{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};

}  // namespace

std::vector<double> axis_ticks(double low, double high, int most) {
  const double rough = (high - low) / most;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double round : {5.0, 2.0, 1.0}) {
    if (round * power >= rough * (1 - 1e-9)) step = round * power;
  }
  std::vector<double> ticks;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) {
    ticks.push_back(i * step == 0 ? 0 : i * step);
  }
  return ticks;
}

double Axis::at(double value) const {
  const double share =
      logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  return start + share * (end - start);
}

std::vector<double> Axis::ticks() const {
  if (!logarithmic) return axis_ticks(low, high);
  std::vector<double> ticks;
  for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10) {
    for (const double step : {1.0, 2.0, 5.0}) {
      const double value = power * step;
      const bool few = high / low < 200;
      if (value >= low * 0.999 && value <= high * 1.001 && (step == 1 || few)) {
        ticks.push_back(value);
      }
    }
  }
  return ticks;
}

const char* series_color(size_t index) { return kColors.at(index % kColors.size()); }

std::string svg_head(const PlotOptions& options, double height) {
  return fmt::format(
      "<svg class=\"plot\" viewBox=\"0 0 {:g} {:g}\" role=\"img\" aria-label=\"{}\">\n"
      "<text x=\"{:g}\" y=\"18\" class=\"title\">{}</text>\n",
      kPlotWidth, height, html_text(options.title), kPlotLeft, html_text(options.title));
}

std::string draw_value_axis(const Axis& y, double left, double right) {
  std::string svg;
  for (const double value : y.ticks()) {
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0:g}\" x2=\"{1:g}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
        "<text x=\"{3:g}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:g}</text>\n",
        left, right, y.at(value), left - 6, y.at(value) + 4, value);
  }
  return svg;
}

std::string draw_axis_labels(const Axis& x, const Axis& y, const PlotOptions& options) {
  std::string svg = fmt::format("<text x=\"{:g}\" y=\"{:g}\" text-anchor=\"middle\">{}</text>\n",
                                (x.start + x.end) / 2, y.start + 36, html_text(options.x_label));
  const double middle = (y.start + y.end) / 2;
  svg += fmt::format(
      "<text x=\"14\" y=\"{0:g}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {0:g})\">{1}"
      "</text>\n",
      middle, html_text(options.y_label));
  return svg;
}

std::string draw_axes(const Axis& x, const Axis& y, const PlotOptions& options) {
  std::string svg = draw_value_axis(y, x.start, x.end);
  for (const double value : x.ticks()) {
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:g}\" y2=\"{2:g}\"/>"
        "<text x=\"{0:.1f}\" y=\"{3:g}\" text-anchor=\"middle\">{4:g}</text>\n",
        x.at(value), y.start, y.end, y.start + 16, value);
  }
  return svg + draw_axis_labels(x, y, options);
}

}  // namespace dualdepth
