#pragma once

#include <opencv2/core.hpp>

#include "dualdepth/base/random.h"
#include "dualdepth/config/data_options.h"
#include "dualdepth/data/prepared_sample.h"

namespace dualdepth {

// What happens to one sample in one epoch. The default changes nothing.
struct Augmentation {
  bool flip = false;
  double brightness = 1, contrast = 1, saturation = 1;
  double hue = 0;                      // turns of the colour circle
  double zoom = 1;                     // enlargement
  double zoom_left = 0, zoom_top = 0;  // where the crop lies in what it leaves, 0..1
};

// Draws from the stream. Each call takes the same number of draws whatever the options, so that one
// option does not change the others' draws.
Augmentation draw_augmentation(const AugmentationOptions& options, RandomStream stream);

// The part of `region` that the zoom enlarges to all of it.
cv::Rect zoom_region(const Augmentation& augmentation, cv::Rect region);

// Colour jitter as one affine map of RGB, out = matrix * in + offset, in the order brightness b,
// contrast c, saturation s, hue h, without clamping in between:
//
//   x1 = b x          x2 = c x1 + (1 - c) luma(b mean)          x3 = s x2 + (1 - s) luma(x2)
//   x4 = x3 with its chroma (the I, Q of NTSC) turned by 2 pi h
//
// luma = 0.299 R + 0.587 G + 0.114 B; `mean` is the picture's mean RGB, in the units of x.
struct ColorMap {
  cv::Matx33f matrix = cv::Matx33f::eye();
  cv::Vec3f offset;
};
ColorMap color_map(const Augmentation& augmentation, const cv::Vec3d& mean);

// Writes the augmented picture to `image` as RGB in 0..1, [H, W, 3] floats in a row (clamped after
// the colour map). Zoom belongs to prepare_sample() and is not looked at.
void write_augmented(const cv::Mat& rgb, const Augmentation& augmentation, float* image);

// The ground truth that belongs to it: pixels mirrored when flipped.
SparseDepth augment_truth(const SparseDepth& truth, const Augmentation& augmentation, int width);

// `count` of its pixels, every choice equally likely, in the same order (selection sampling: Knuth,
// The Art of Computer Programming, volume 2, algorithm 3.4.2 S); all of them when it has no more.
SparseDepth draw_truth(const SparseDepth& truth, size_t count, RandomStream stream);

}  // namespace dualdepth
