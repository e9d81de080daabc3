#pragma once

#include <opencv2/core.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/config/data_options.h"
#include "dualdepth/config/train_options.h"

namespace dualdepth {

enum class CropKind { kNone, kGarg, kEigen, kKbThenGarg };

// A named evaluation protocol; no number is "KITTI" without one. dualdepth eval --help lists them.
struct Protocol {
  std::string name;
  std::optional<GroundTruthKind> ground_truth;  // nothing: either
  std::optional<ProjectionKind> projection;     // of velodyne ground truth
  CropKind crop = CropKind::kNone;
  double min_depth = 1e-3;  // m, exclusive
  double max_depth = 80;    // m, exclusive where `strict`, else inclusive
  bool strict = true;
  bool clamp_prediction = true;
};

// eigen-garg, eigen-annotated, eigen-kb-garg, eigen-crop, eigen-crop-50, benchmark.
// Throws Error that lists the known names.
const Protocol& find_protocol(std::string_view name);
const std::vector<Protocol>& all_protocols();

// The rectangle of pixels that count in a picture of this size.
cv::Rect crop_rectangle(CropKind crop, cv::Size size);

// The pixels of one picture that count: prediction (already at ground truth's size, clamped,
// scaled) and truth, side by side.
struct PixelPairs {
  std::vector<float> prediction;
  std::vector<float> truth;
  double scale = 1;  // median(truth) / median(prediction) for scaling: median
};

// depth: CV_32FC1 prediction of any size (resized bilinearly to truth's size after composing);
// truth: CV_32FC1 metres, 0 = none; valid_mask: empty or CV_8UC1.
PixelPairs select_pixels(const Protocol& protocol, const cv::Mat& prediction, const cv::Mat& truth,
                         const cv::Mat& valid_mask, ScalingKind scaling);

}  // namespace dualdepth
