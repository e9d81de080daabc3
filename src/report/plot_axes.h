#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "dualdepth/report/plot.h"

// What the kinds of plots share: the drawing's measures, axes and colors.
namespace dualdepth {

// Units of the drawing, scaled to the page's width.
inline constexpr double kPlotWidth = 560;
inline constexpr double kPlotHeight = 300;
inline constexpr double kPlotLeft = 74;
inline constexpr double kPlotRight = 14;
inline constexpr double kPlotTop = 30;
inline constexpr double kPlotBottom = 44;

// An axis from values to the drawing.
struct Axis {
  double low, high;   // values
  double start, end;  // drawing units
  bool logarithmic = false;

  double at(double value) const;
  std::vector<double> ticks() const;
};

// The color of the series at this position, the same in all plots; they repeat after six.
const char* series_color(size_t index);

// The opening of a plot with its title.
std::string svg_head(const PlotOptions& options, double height);

// Grid lines and values of a vertical axis, from `left` to `right`.
std::string draw_value_axis(const Axis& y, double left, double right);

// The labels of both axes.
std::string draw_axis_labels(const Axis& x, const Axis& y, const PlotOptions& options);

// Both axes with grid lines, values and labels.
std::string draw_axes(const Axis& x, const Axis& y, const PlotOptions& options);

}  // namespace dualdepth
