#include <fmt/format.h>

#include <cmath>
#include <opencv2/imgproc.hpp>

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

}  // namespace

cv::Mat colorize_depth(const cv::Mat& depth, double max_depth) {
  return colorize(depth, color_table(cv::COLORMAP_TURBO), [&](float metres) {
    if (!std::isfinite(metres) || metres <= 0) return std::nan("");
    return std::log(max_depth / metres) / std::log(kDepthColorRange);
  });
}

cv::Mat depth_color_scale(int width, double max_depth) {
  constexpr int kBarHeight = 12;    // px
  constexpr int kLabelHeight = 18;  // px
  constexpr int kLabelWidth = 40;   // px
  constexpr double kFontScale = 0.38;
  cv::Mat scale(kBarHeight + kLabelHeight, width, CV_8UC3, cv::Scalar::all(24));
  const auto depth_at = [&](double share) {
    return max_depth * std::pow(kDepthColorRange, share - 1);
  };
  cv::Mat ramp(kBarHeight, width, CV_32FC1);
  for (int x = 0; x < width; ++x) ramp.col(x) = depth_at((x + 0.5) / width);
  colorize_depth(ramp, max_depth).copyTo(scale.rowRange(0, kBarHeight));
  const int octaves = cvRound(std::log2(kDepthColorRange));
  for (int octave = 0; octave <= octaves; ++octave) {
    const double share = static_cast<double>(octave) / octaves;
    cv::putText(scale, fmt::format("{:.3g} m", depth_at(share)),
                {static_cast<int>(share * (width - kLabelWidth)), kBarHeight + 13},
                cv::FONT_HERSHEY_SIMPLEX, kFontScale, cv::Scalar::all(230), 1, cv::LINE_AA);
  }
  return scale;
}

cv::Mat colorize_error(const cv::Mat& error, double max_error) {
  return colorize(error, color_table(cv::COLORMAP_HOT), [&](float metres) {
    return std::isfinite(metres) ? std::abs(metres) / max_error : std::nan("");
  });
}

}  // namespace dualdepth
