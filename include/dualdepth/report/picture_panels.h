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

// |depth - reference| in mm, see colorize_difference; black where one of them is no depth.
std::string difference_panel(std::string_view name, const cv::Mat& depth, const cv::Mat& reference);

// |prediction - truth| / truth, see colorize_relative_error; black where there is no truth.
std::string relative_error_panel(std::string_view name, const cv::Mat& prediction,
                                 const cv::Mat& truth);

// A text in place of a picture.
std::string text_panel(std::string_view text);

// The colors of depth, of relative errors and of differences as panels with what they stand for.
std::string depth_color_legend(double max_depth);
std::string relative_error_legend();
std::string difference_legend();

// The colours of depth with their metres.
std::string depth_legend(double max_depth);

}  // namespace dualdepth
