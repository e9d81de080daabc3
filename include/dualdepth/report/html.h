#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <string_view>

namespace dualdepth {

// Text for HTML, with & < > " ' escaped: ids and paths come from outside.
std::string html_text(std::string_view text);

// An RGB picture as an <img> that carries its own bytes (JPEG, base64); `alt` is escaped here.
std::string html_picture(const cv::Mat& rgb, std::string_view alt);

// A whole page that needs no other file, readable on a phone and on dark and light screens.
std::string html_page(std::string_view title, std::string_view body);

}  // namespace dualdepth
