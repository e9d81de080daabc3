#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

namespace dualdepth {

// Plots as inline SVG: no script, no other file, text that a phone can enlarge, colours that follow
// a light or dark page. Points that are not finite are left out.

// One line of a plot.
struct Series {
  std::string name;  // for the legend
  std::vector<cv::Point2d> points;
};

struct PlotOptions {
  std::string title;
  std::string x_label;
  std::string y_label;
  bool log_y = false;     // values that are not above 0 are left out
  bool from_zero = true;  // whether the y axis begins at 0; log_y begins at the smallest value
};

// Nothing when no series has a point.
std::string line_plot(const std::vector<Series>& series, const PlotOptions& options);

// One set of bars of a histogram.
struct BarSeries {
  std::string name;            // for the legend
  std::vector<double> shares;  // 0..1, one more than there are edges; values not finite count as 0
};

// Shares of each series between neighbouring edges as bars in %, those of several series side by
// side in each interval, whose widths on the page are the same. The first interval has no lower and
// the last one no upper end; `edges` are written at the borders between intervals. Returns an empty
// string without series.
std::string histogram_plot(const std::vector<BarSeries>& series,
                           const std::vector<std::string>& edges, const PlotOptions& options);

// A value with the ends of its interval; without a whisker where these are not finite.
struct IntervalPoint {
  double value = 0, low = 0, high = 0;
};

// One color of an interval plot: a point for each row, left out where its value is not finite.
struct IntervalSeries {
  std::string name;  // for the legend, see color_legend
  std::vector<IntervalPoint> points;
};

// Values with whiskers along a horizontal axis, a row for each of `rows` below its name, the series
// one below the other in each row. Where 0 lies between the values, a line marks it. Nothing
// without a point.
std::string interval_plot(const std::vector<std::string>& rows,
                          const std::vector<IntervalSeries>& series, const PlotOptions& options);

// Points of a plane, each with its text beside it, such as a number that a table explains. The axes
// begin near the smallest values. Nothing without a point.
struct LabelledPoint {
  std::string label;
  double x = 0, y = 0;
};
std::string scatter_plot(const std::vector<LabelledPoint>& points, const PlotOptions& options);

// The colors of series as a line of HTML: for names too long for a legend inside the plot.
std::string color_legend(const std::vector<std::string>& names);

// Predicted against true depth: `counts` of a DepthDistribution, brightness by the logarithm of the
// count, with the diagonal on which both agree. Both axes logarithmic from low to high, metres.
std::string density_plot(const std::vector<int64_t>& counts, int cells, double low, double high,
                         const std::string& title);

// At most `most` + 1 round values (1, 2 or 5 times a power of ten) that cover [low, high].
std::vector<double> axis_ticks(double low, double high, int most = 6);

}  // namespace dualdepth
