#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <string_view>

namespace dualdepth {

// Pieces of a page that shows pictures, HTML each. Maps are CV_32FC1 metres, truth 0 where there is
// none; depth is coloured up to max_depth (see colorize_depth), error over 0..1.5 m.
std::string picture_panel(std::string_view name, const cv::Mat& rgb);
std::string depth_panel(std::string_view name, const cv::Mat& depth, double max_depth);
std::string truth_panel(const cv::Mat& truth, double max_depth);
std::string error_panel(std::string_view name, const cv::Mat& prediction, const cv::Mat& truth);

// The colours of depth with their metres.
std::string depth_legend(double max_depth);

}  // namespace dualdepth
