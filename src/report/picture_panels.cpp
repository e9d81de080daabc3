#include "dualdepth/report/picture_panels.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <opencv2/imgproc.hpp>

#include "dualdepth/io/image.h"
#include "dualdepth/report/html.h"

namespace dualdepth {
namespace {

constexpr int kPanelWidth = 620;  // px

// A LiDAR point is one pixel in a thousand columns: thickened, so that it survives being shown
// small.
cv::Mat thicken(const cv::Mat& sparse) {
  cv::Mat thick;
  cv::dilate(sparse, thick, cv::getStructuringElement(cv::MORPH_RECT, {3, 3}));
  return thick;
}

}  // namespace

std::string picture_panel(std::string_view name, const cv::Mat& rgb) {
  const int width = std::min(kPanelWidth, rgb.cols);
  cv::Mat small;
  cv::resize(rgb, small, {width, std::max(1, rgb.rows * width / rgb.cols)}, 0, 0, cv::INTER_AREA);
  return fmt::format("<div>{}{}</div>\n", html_picture(small, name), html_text(name));
}

std::string depth_panel(std::string_view name, const cv::Mat& depth, double max_depth) {
  return picture_panel(name, colorize_depth(depth, max_depth));
}

std::string truth_panel(const cv::Mat& truth, double max_depth) {
  return depth_panel("ground truth", thicken(truth), max_depth);
}

std::string error_panel(std::string_view name, const cv::Mat& prediction, const cv::Mat& truth) {
  cv::Mat error;
  cv::absdiff(prediction, truth, error);
  error.setTo(0, truth <= 0);
  return picture_panel(name, colorize_error(thicken(error)));
}

std::string difference_panel(std::string_view name, const cv::Mat& depth,
                             const cv::Mat& reference) {
  cv::Mat difference;
  cv::absdiff(depth, reference, difference);
  difference.setTo(std::numeric_limits<float>::quiet_NaN(), (depth <= 0) | (reference <= 0));
  return picture_panel(name, colorize_difference(difference));
}

std::string relative_error_panel(std::string_view name, const cv::Mat& prediction,
                                 const cv::Mat& truth) {
  cv::Mat error;
  cv::absdiff(prediction, truth, error);
  error /= truth;
  error.setTo(-1,
              truth <= 0);  // less than any error, so that errors win where points are thickened
  error = thicken(error);
  error.setTo(std::numeric_limits<float>::quiet_NaN(), error < 0);
  return picture_panel(name, colorize_relative_error(error));
}

std::string text_panel(std::string_view text) {
  return fmt::format("<div>{}</div>\n", html_text(text));
}

std::string depth_color_legend(double max_depth) {
  return picture_panel("depth", depth_color_scale(kPanelWidth, max_depth));
}

std::string relative_error_legend() {
  return picture_panel("error relative to the true depth", relative_error_color_scale(kPanelWidth));
}

std::string difference_legend() {
  return picture_panel("difference from the first model's depth",
                       difference_color_scale(kPanelWidth));
}

std::string depth_legend(double max_depth) {
  return html_picture(depth_color_scale(kPanelWidth, max_depth), "colours of depth") + "\n";
}

}  // namespace dualdepth
