#pragma once

#include <opencv2/core.hpp>

namespace dualdepth {

// Joins the depth of a picture with that of its mirror image (Godard, Mac Aodha, Brostow 2017):
// near the left border of the field of view the mirrored prediction counts, near the right one the
// direct, between them the mean. With x = column / (width - 1),
//
//   m(x) = 1 - clip(20 (x - 0.05), 0, 1)
//   depth = m(1-x) direct + m(x) flip(mirrored) + (1 - m(x) - m(1-x)) (direct + flip(mirrored)) / 2
//
// direct: CV_32FC1 depth of the picture; mirrored: depth of the mirrored picture as predicted, of
// the same size; this function flips it back.
cv::Mat flip_average(const cv::Mat& direct, const cv::Mat& mirrored);

}  // namespace dualdepth
