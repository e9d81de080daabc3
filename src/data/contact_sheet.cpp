#include "dualdepth/data/contact_sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "dualdepth/data/resize.h"
#include "dualdepth/io/image.h"

namespace dualdepth {
namespace {

constexpr int kLabelHeight = 18;  // px
constexpr int kGap = 4;           // px
constexpr double kFontScale = 0.38;
constexpr double kGreyShare = 0.55;   // brightness of the picture under the depth
constexpr double kDepthShare = 0.75;  // opacity of the depth
constexpr int kBackground = 24;       // grey level
constexpr int kInk = 230;             // grey level

void write_text(cv::Mat& image, const std::string& text, cv::Point at) {
  cv::putText(image, text, at, cv::FONT_HERSHEY_SIMPLEX, kFontScale, cv::Scalar::all(kInk), 1,
              cv::LINE_AA);
}

cv::Mat darkened_grey(const cv::Mat& rgb) {
  cv::Mat grey;
  cv::cvtColor(rgb, grey, cv::COLOR_RGB2GRAY);
  cv::cvtColor(grey * kGreyShare, grey, cv::COLOR_GRAY2RGB);
  return grey;
}

void draw_depth(cv::Mat& picture, const SparseDepth& truth, const ContactSheetOptions& options) {
  cv::Mat depth = cv::Mat::zeros(picture.size(), CV_32FC1);
  for (size_t i = 0; i < truth.pixels.size(); ++i)
    depth.at<float>(truth.pixels[i]) = truth.depths[i];
  const cv::Mat colours = colorize_depth(depth, options.max_depth);
  cv::Mat blended;
  cv::addWeighted(colours, kDepthShare, picture, 1 - kDepthShare, 0, blended);
  blended.copyTo(picture, depth > 0);
}

}  // namespace

cv::Mat contact_cell(const Sample& sample, const ContactSheetOptions& options) {
  const int height = std::max(
      1, cvRound(static_cast<double>(sample.rgb.rows) * options.cell_width / sample.rgb.cols));
  const cv::Size size(options.cell_width, height);
  cv::Mat picture = darkened_grey(resize_rgb(sample.rgb, size));
  std::string label = sample.id;
  if (sample.depth.empty()) {
    label += "  no ground truth";
  } else {
    const SparseDepth truth =
        scatter_depth(sample.depth, sample.valid_mask, {{0, 0}, sample.depth.size()}, size);
    draw_depth(picture, truth, options);
    const double valid = cv::countNonZero(sample.depth > 0);
    label += fmt::format("  {:.1f} %", 100 * valid / static_cast<double>(sample.depth.total()));
  }
  cv::Mat cell(height + kLabelHeight, options.cell_width, CV_8UC3, cv::Scalar::all(kBackground));
  picture.copyTo(cell.rowRange(0, height));
  write_text(cell, label, {3, height + 13});
  return cell;
}

cv::Mat contact_sheet(const std::vector<cv::Mat>& cells, const ContactSheetOptions& options) {
  const int columns = std::max(1, std::min(options.columns, static_cast<int>(cells.size())));
  const int width = columns * (options.cell_width + kGap) - kGap;
  std::vector<cv::Mat> rows;
  for (size_t begin = 0; begin < cells.size(); begin += static_cast<size_t>(columns)) {
    const size_t end = std::min(begin + static_cast<size_t>(columns), cells.size());
    int height = 0;
    for (size_t i = begin; i < end; ++i) height = std::max(height, cells[i].rows);
    cv::Mat row(height + kGap, width, CV_8UC3, cv::Scalar::all(kBackground));
    for (size_t i = begin; i < end; ++i) {
      const int x = static_cast<int>(i - begin) * (options.cell_width + kGap);
      cells[i].copyTo(row(cv::Rect({x, 0}, cells[i].size())));
    }
    rows.push_back(row);
  }
  rows.push_back(depth_color_scale(width, options.max_depth));
  cv::Mat sheet;
  cv::vconcat(rows, sheet);
  return sheet;
}

}  // namespace dualdepth
