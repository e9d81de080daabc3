#include "dualdepth/report/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pointwise;

TEST(AxisTicks, AreRoundAndCoverTheRange) {
  EXPECT_THAT(axis_ticks(0, 10), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(axis_ticks(0, 12), ElementsAre(0, 2, 4, 6, 8, 10, 12));
  EXPECT_THAT(axis_ticks(0.13, 0.31),
              Pointwise(DoubleNear(1e-12), std::vector<double>{0.15, 0.2, 0.25, 0.3}));
  EXPECT_THAT(axis_ticks(-4, 4, 4), ElementsAre(-4, -2, 0, 2, 4));
}

// The drawing is 560 x 300 units; the axes leave 74, 14, 30 and 44 at the left, right, top and
// bottom: x 0..10 spans 74..546, y 0..5 spans 256..30.
TEST(LinePlot, PutsPointsWhereTheAxesSay) {
  const std::string svg = line_plot({{"loss", {{0, 5}, {5, 2.5}, {10, 0}}}},
                                    {.title = "t", .x_label = "step", .y_label = ""});
  EXPECT_THAT(svg, HasSubstr("points=\"74.0,30.0 310.0,143.0 546.0,256.0 \""));
}

TEST(LinePlot, LogarithmicAxisSpacesEqualRatiosEqually) {
  const std::string svg = line_plot({{"lr", {{0, 0.001}, {1, 0.01}, {2, 0.1}, {3, 0}}}},
                                    {.title = "", .x_label = "", .y_label = "", .log_y = true});
  EXPECT_THAT(svg, HasSubstr("74.0,256.0 310.0,143.0 546.0,30.0 "));
}

TEST(LinePlot, LeavesOutWhatIsNotFiniteAndEscapesText) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string svg = line_plot({{"<b>", {{0, 1}, {1, nan}, {2, 3}}}, {"&", {{0, 2}}}},
                                    {.title = "<script>", .x_label = "", .y_label = ""});
  EXPECT_THAT(svg, AllOf(Not(HasSubstr("nan")), Not(HasSubstr("<b>")), Not(HasSubstr("<script>")),
                         HasSubstr("&lt;b&gt;"), HasSubstr("&amp;")));
}

TEST(LinePlot, IsNothingWithoutPointsAndStandsWithOne) {
  EXPECT_EQ(line_plot({{"a", {}}}, {.title = "", .x_label = "", .y_label = ""}), "");
  const std::string one = line_plot({{"a", {{3, 7}}}}, {.title = "", .x_label = "", .y_label = ""});
  EXPECT_THAT(one, AllOf(HasSubstr("<circle"), Not(HasSubstr("inf")), Not(HasSubstr("nan"))));
}

// By hand: three intervals of (546 - 74) / 3 = 157.33 units; the axis ends 8 % above 50 %, at 54 %,
// over 226 units, so 50 % is 209.3 high and 25 % is 104.6 high. Two bars share 84 % of an interval.
TEST(HistogramPlot, PutsTheBarsOfEachSeriesSideBySide) {
  const std::string svg =
      histogram_plot({{"a", {0.5, 0.25, 0.25}}, {"<b>", {0, 0.5, 0.5}}}, {"1", "1 m"},
                     {.title = "moved", .x_label = "mm", .y_label = "%"});
  EXPECT_THAT(
      svg, AllOf(HasSubstr("x=\"86.6\" y=\"46.7\" width=\"66.1\" height=\"209.3\""),
                 HasSubstr("x=\"243.9\" y=\"151.4\" width=\"66.1\" height=\"104.6\""),
                 HasSubstr("&lt;b&gt;: 50.00 %"), HasSubstr(">1 m</text>"), Not(HasSubstr("<b>"))));
  size_t bars = 0;
  for (size_t at = 0; (at = svg.find("<rect", at)) != std::string::npos; ++at) ++bars;
  EXPECT_EQ(bars, 5U);  // none where the share is 0
}

TEST(HistogramPlot, OfNothingButZeroAndNaNStands) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string svg =
      histogram_plot({{"a", {nan, 0}}}, {"1"}, {.title = "", .x_label = "", .y_label = ""});
  EXPECT_THAT(svg, AllOf(HasSubstr("<svg"), Not(HasSubstr("nan")), Not(HasSubstr("<rect"))));
  EXPECT_EQ(histogram_plot({}, {"1"}, {.title = "", .x_label = "", .y_label = ""}), "");
}

// By hand: values 0..3 with 4 % of room at both ends, -0.12..3.12, lie over 528 units from 16 on,
// so that 0, 1, 2 and 3 are at 35.6, 198.5, 361.5 and 524.4. A row of one series is 16 + 11 + 8
// high and begins at 30; its point lies in the middle of the 11.
TEST(IntervalPlot, PutsPointsAndWhiskersBelowTheNameOfTheirRow) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string svg =
      interval_plot({"<one>", "two", "three"}, {{"float", {{1, 0, 2}, {3, nan, nan}, {nan, 0, 9}}}},
                    {.title = "t", .x_label = "abs_rel", .y_label = ""});
  EXPECT_THAT(svg, AllOf(HasSubstr("x1=\"35.6\" x2=\"361.5\" y1=\"51.5\" y2=\"51.5\" stroke="),
                         HasSubstr("cx=\"198.5\" cy=\"51.5\""),
                         HasSubstr("cx=\"524.4\" cy=\"86.5\""), HasSubstr("&lt;one&gt;"),
                         HasSubstr("class=\"diagonal\" x1=\"35.6\""), Not(HasSubstr("nan"))));
  EXPECT_EQ(
      interval_plot({"a"}, {{"float", {{nan, 0, 1}}}}, {.title = "", .x_label = "", .y_label = ""}),
      "");
}

// By hand: 8 % of room at both ends: x -0.8..10.8 over 74..546, y 0.92..2.08 over 256..30.
TEST(ScatterPlot, PutsEachLabelBesideItsPoint) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string svg = scatter_plot({{"<1>", 0, 1}, {"2", 10, 2}, {"3", nan, 1}},
                                       {.title = "t", .x_label = "rmse", .y_label = "abs_rel"});
  EXPECT_THAT(svg,
              AllOf(HasSubstr("cx=\"106.6\" cy=\"240.4\""), HasSubstr("cx=\"513.4\" cy=\"45.6\""),
                    HasSubstr(">&lt;1&gt;</text>"), Not(HasSubstr("nan"))));
  EXPECT_EQ(scatter_plot({{"3", nan, 1}}, {.title = "", .x_label = "", .y_label = ""}), "");
}

TEST(DensityPlot, CarriesItsPictureAndTheDiagonal) {
  std::vector<int64_t> counts(4, 0);
  counts[1] = 5;
  const std::string svg = density_plot(counts, 2, 0.5, 15, "predicted against true depth");
  EXPECT_THAT(svg,
              AllOf(HasSubstr("href=\"data:image/png;base64,"), HasSubstr("class=\"diagonal\""),
                    HasSubstr(">1</text>"), HasSubstr(">10</text>")));
}

}  // namespace
}  // namespace dualdepth
