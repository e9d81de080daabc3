#pragma once

#include <limits>
#include <opencv2/core.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/config/data_options.h"
#include "dualdepth/config/train_options.h"

namespace dualdepth {

// Which rectangle of a picture of height h and width w counts; shares are truncated to whole
// pixels.
//
//   kGarg        rows [.40810811, .99189189) h, columns [.03594771, .96405229) w
//                (Garg et al., "Unsupervised CNN for Single View Depth Estimation", 2016)
//   kEigen       rows [.3324324, .91351351) h, columns [.0359477, .96405229) w
//                (Eigen, Puhrsch, Fergus 2014)
//   kKbThenGarg  Garg of the 352 x 1216 crop of KITTI's benchmark, which begins at row h - 352 and
//                column int((w - 1216) / 2)
enum class CropKind { kNone, kGarg, kEigen, kKbThenGarg };

// Truth from `low` (counts) to `high` (does not), metres.
struct RangeBin {
  double low = 0;
  double high = 0;

  std::string name() const;  // "0.5-1"
};

// A named evaluation protocol; no number is "KITTI" without one.
//
//   name             truth                     crop         truth counts    predictions
//   eigen-garg       velodyne, eigen variant   Garg         1e-3 < g < 80   clamped to [1e-3, 80]
//   eigen-annotated  annotated                 Garg         1e-3 < g < 80   clamped to [1e-3, 80]
//   eigen-kb-garg    annotated                 KB, Garg     1e-3 < g < 80   clamped to [1e-3, 80]
//   eigen-crop       either                    Eigen        1e-3 < g < 80   clamped to [1e-3, 80]
//   eigen-crop-50    either                    Eigen        1e-3 < g < 50   clamped to [1e-3, 50]
//   benchmark        annotated                 none         0 < g           clamped to what the
//                                                           server's 16-bit PNG can say,
//                                                           [1/256, 65535/256]
//   ncdb             NCDB's, masked if it   none         0.5 < g < 15    clamped to [0.5, 15]
//                    has masks
//
// Bins pool pixels of all pictures by their truth: 0.5-1, 1-3, 3-5 and 5-15 m for ncdb, 0-10,
// 10-20, 20-40 and 40-80 m (and beyond, for benchmark) for the others.
struct Protocol {
  std::string name;
  std::optional<GroundTruthKind> ground_truth;  // nothing: either
  std::optional<ProjectionKind> projection;     // of velodyne ground truth; nothing: either
  CropKind crop = CropKind::kNone;
  double min_depth = 1e-3;       // m; truth counts where min_depth < g < max_depth, both strict
  double max_depth = 80;         // m
  double min_prediction = 1e-3;  // m; predictions are clamped, after scaling
  double max_prediction = 80;    // m
  std::vector<RangeBin> bins;
  std::string source;  // whose evaluation it repeats
};

// The protocol with low < g < high and predictions clamped to that; its bins stay, and what the
// range adds outside them is a bin of its own. `range` holds low and high, metres, or nothing.
// Throws Error for any other, and for a protocol but ncdb: the others' numbers would not be theirs.
Protocol with_range(Protocol protocol, const std::vector<double>& range);

// Throws Error that suggests the nearest name.
const Protocol& find_protocol(std::string_view name);
const std::vector<Protocol>& all_protocols();

// The pixels that count in a picture of this size. Throws Error when the size is smaller than the
// crop.
cv::Rect crop_rectangle(CropKind crop, cv::Size size);

// The pixels of one picture that count, side by side in row order: prediction (at the truth's size,
// scaled, clamped) and truth, metres. Both are empty when no pixel counts.
struct PixelPairs {
  std::vector<float> prediction;
  std::vector<float> truth;
  std::vector<int32_t> positions;  // of the pixels: row * width + column
  double scale = 1;                // that predictions were multiplied by
  size_t non_finite = 0;  // predictions that were NaN or infinite; they count as min_prediction
};

// Predicted depth is resized bilinearly (pixel centres at halves) to the truth's size, so compose
// depth from level and fraction first. With ScalingKind::kMedian all predictions are multiplied by
// median(truth) / median(prediction) of the pixels that count, before clamping.
//
// prediction: CV_32FC1 metres of any size; truth: CV_32FC1 metres, 0 = none; valid_mask: empty, or
// CV_8UC1 of truth's size, non-zero = use. Throws Error for a mask of another size.
PixelPairs select_pixels(const Protocol& protocol, const cv::Mat& prediction, const cv::Mat& truth,
                         const cv::Mat& valid_mask, ScalingKind scaling);

}  // namespace dualdepth
