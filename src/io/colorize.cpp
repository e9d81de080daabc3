#include <fmt/format.h>

#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "dualdepth/io/image.h"

namespace dualdepth {
namespace {

// 256 RGB colours of one of OpenCV's maps.
cv::Mat color_table(cv::ColormapTypes map) {
  cv::Mat ramp(1, 256, CV_8UC1);
  for (int i = 0; i < 256; ++i) ramp.at<uchar>(i) = static_cast<uchar>(i);
  cv::Mat bgr, rgb;
  cv::applyColorMap(ramp, bgr, map);
  cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
  return rgb;
}

// table[255 * position(v)] where position, clamped to 0..1, exists; black where it is NaN.
template <class Position>
cv::Mat colorize(const cv::Mat& values, const cv::Mat& table, Position position) {
  CV_Assert(values.type() == CV_32FC1);
  cv::Mat image(values.size(), CV_8UC3, cv::Scalar::all(0));
  for (int y = 0; y < values.rows; ++y) {
    const float* from = values.ptr<float>(y);
    auto* to = image.ptr<cv::Vec3b>(y);
    for (int x = 0; x < values.cols; ++x) {
      const double p = position(from[x]);
      if (std::isnan(p)) continue;
      to[x] = table.at<cv::Vec3b>(cvRound(255 * std::min(std::max(p, 0.0), 1.0)));
    }
  }
  return image;
}

// Values [1, width] of value_at(share), share from 0 to 1.
template <class ValueAt>
cv::Mat ramp(int width, ValueAt value_at) {
  cv::Mat values(1, width, CV_32FC1);
  for (int x = 0; x < width; ++x) values.col(x) = value_at((x + 0.5) / width);
  return values;
}

// A row of colors as a bar, with evenly spaced labels below it.
cv::Mat labelled_bar(const cv::Mat& colors, const std::vector<std::string>& labels) {
  constexpr int kBarHeight = 12;    // px
  constexpr int kLabelHeight = 18;  // px
  constexpr double kFontScale = 0.38;
  cv::Mat bar(kBarHeight + kLabelHeight, colors.cols, CV_8UC3, cv::Scalar::all(24));
  for (int y = 0; y < kBarHeight; ++y) colors.copyTo(bar.row(y));
  for (size_t i = 0; i < labels.size(); ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(labels.size() - 1);
    int baseline = 0;
    const int text_width =
        cv::getTextSize(labels[i], cv::FONT_HERSHEY_SIMPLEX, kFontScale, 1, &baseline).width;
    cv::putText(bar, labels[i],
                {static_cast<int>(share * (colors.cols - text_width)), kBarHeight + 13},
                cv::FONT_HERSHEY_SIMPLEX, kFontScale, cv::Scalar::all(230), 1, cv::LINE_AA);
  }
  return bar;
}

}  // namespace

cv::Mat colorize_depth(const cv::Mat& depth, double max_depth) {
  return colorize(depth, color_table(cv::COLORMAP_TURBO), [&](float metres) {
    if (!std::isfinite(metres) || metres <= 0) return std::nan("");
    return std::log(max_depth / metres) / std::log(kDepthColorRange);
  });
}

cv::Mat depth_color_scale(int width, double max_depth) {
  const auto depth_at = [&](double share) {
    return max_depth * std::pow(kDepthColorRange, share - 1);
  };
  const int octaves = cvRound(std::log2(kDepthColorRange));
  std::vector<std::string> labels;
  for (int octave = 0; octave <= octaves; ++octave) {
    labels.push_back(fmt::format("{:.3g} m", depth_at(static_cast<double>(octave) / octaves)));
  }
  return labelled_bar(colorize_depth(ramp(width, depth_at), max_depth), labels);
}

cv::Mat colorize_difference(const cv::Mat& difference) {
  const double range = std::log(kGreatestShownDifference / kSmallestShownDifference);
  return colorize(difference, color_table(cv::COLORMAP_PLASMA), [&](float metres) {
    if (!std::isfinite(metres)) return std::nan("");
    const double shown = std::max<double>(std::abs(metres), kSmallestShownDifference);
    return std::log(shown / kSmallestShownDifference) / range;
  });
}

cv::Mat difference_color_scale(int width) {
  const auto difference_at = [](double share) {
    return kSmallestShownDifference *
           std::pow(kGreatestShownDifference / kSmallestShownDifference, share);
  };
  return labelled_bar(colorize_difference(ramp(width, difference_at)),
                      {"<= 1 mm", "10 mm", "100 mm", "1 m", ">= 10 m"});
}

cv::Mat colorize_relative_error(const cv::Mat& error) {
  return colorize(error, color_table(cv::COLORMAP_PLASMA), [](float relative) {
    return std::isfinite(relative) ? std::abs(relative) / kGreatestShownRelativeError
                                   : std::nan("");
  });
}

cv::Mat relative_error_color_scale(int width) {
  const auto error_at = [](double share) { return share * kGreatestShownRelativeError; };
  return labelled_bar(colorize_relative_error(ramp(width, error_at)),
                      {"0 %", "5 %", "10 %", "15 %", "20 %", ">= 25 %"});
}

cv::Mat colorize_error(const cv::Mat& error, double max_error) {
  return colorize(error, color_table(cv::COLORMAP_HOT), [&](float metres) {
    return std::isfinite(metres) ? std::abs(metres) / max_error : std::nan("");
  });
}

}  // namespace dualdepth
