#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "dualdepth/data/dataset.h"

namespace dualdepth {

struct ContactSheetOptions {
  int columns = 3;
  int cell_width = 480;   // px
  double max_depth = 80;  // m, the blue end of the colours
};

// One sample: the picture in darkened grey, each depth value drawn over it in the colours
// of colorize_depth, its id and share of valid pixels written below. CV_8UC3 RGB.
cv::Mat contact_cell(const Sample& sample, const ContactSheetOptions& options);

// The cells row by row, and under them the colour scale in metres.
cv::Mat contact_sheet(const std::vector<cv::Mat>& cells, const ContactSheetOptions& options);

}  // namespace dualdepth
