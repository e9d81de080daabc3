#pragma once

#include <opencv2/core.hpp>

#include "dualdepth/config/data_options.h"

namespace dualdepth::synthetic {

// One rendered picture without files: the first of drive `index` of a set with seed 0, a road
// through a pinhole for kitti, a car park through the fisheye for ncdb. CV_8UC3, RGB.
cv::Mat render_picture(DatasetKind layout, cv::Size size, int index);

}  // namespace dualdepth::synthetic
