#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <opencv2/core.hpp>
#include <vector>

#include "dualdepth/config/codec_options.h"
#include "dualdepth/runtime/predictor.h"

namespace dualdepth {

// Mean errors over pixels with ground truth.
struct HeadError {
  double abs_rel = 0;
  double mae = 0;  // m
};

// Pixels whose true depth lies at the same place inside its level.
struct LevelPlace {
  double from = 0, to = 0;  // of the way through the level, 0..1
  size_t pixels = 0;
  double right = 0;       // share with the true level
  double off_by_one = 0;  // share with a neighbour of it
  double mae = 0;         // m
};

// What the two heads of a model do, over all pictures at the network's own resolution.
struct HeadReport {
  size_t pictures = 0;
  size_t pixels = 0;                       // predicted
  std::vector<int64_t> level_counts;       // of each level, [K]
  std::vector<int64_t> fraction_counts;    // of the fraction in 32 intervals of [0, 1]
  double worst_difference = 0;             // m, largest |decode(level, fraction) - depth|
  size_t truth_pixels = 0;                 // with ground truth inside the codec's range
  HeadError both;                          // decode(level, fraction)
  HeadError with_true_level;               // decode(true level, fraction): what the fraction costs
  HeadError with_true_fraction;            // decode(level, true fraction): what the level costs
  std::vector<int64_t> level_distances;    // of |level - true level|, [K]
  std::array<LevelPlace, 10> places = {};  // behaviour at level boundaries: the first and the last

  // Of the K levels, those that some pixel has.
  double levels_used() const;
};

// Gathers a HeadReport picture by picture. The codec has levels: not `continuous`.
class HeadCheck {
 public:
  explicit HeadCheck(const CodecOptions& codec);
  ~HeadCheck();

  // truth: CV_32FC1 metres of the picture's size, 0 = none; it is brought to the prediction's size
  // by scatter_depth. valid_mask: empty or CV_8UC1 of truth's size, non-zero = use.
  void add(const Prediction& prediction, const cv::Mat& truth, const cv::Mat& valid_mask);

  HeadReport report() const;

 private:
  class Sums;
  std::unique_ptr<Sums> sums_;
};

}  // namespace dualdepth
