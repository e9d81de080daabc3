#pragma once

#include <opencv2/core.hpp>

#include "dualdepth/data/resize.h"
#include "dualdepth/data/sample.h"

namespace dualdepth {

// A sample at the size the network sees, before augmentation: what the cache keeps.
struct PreparedSample {
  cv::Mat rgb;        // CV_8UC3
  SparseDepth truth;  // indices into rgb; empty without ground truth
};

// The benchmark crop of KITTI: the 352x1216 pixels at the bottom, in the middle.
cv::Rect kb_crop(cv::Size picture);

// Cuts `region` out of picture and depth and brings both to `size`. The picture may be smaller than
// the depth (see Dataset::load_reduced) if the region is all of it. Throws Error naming the sample
// when the region reaches outside.
PreparedSample prepare_sample(const Sample& sample, cv::Rect region, cv::Size size);

}  // namespace dualdepth
