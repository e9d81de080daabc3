#pragma once

#include <filesystem>
#include <opencv2/core.hpp>
#include <optional>
#include <string>

#include "dualdepth/io/kitti_calibration.h"

namespace dualdepth {

// One picture with what is known of it, at the size it has on disk.
struct Sample {
  std::string id;      // unique in the data set: date/drive/camera/frame, sequence/stem
  cv::Mat rgb;         // CV_8UC3, RGB
  cv::Mat depth;       // CV_32FC1 metres, 0 = none; empty when there is no ground truth
  cv::Mat valid_mask;  // CV_8UC1, non-zero = use; empty: all of it
  std::optional<Intrinsics> intrinsics;
};

// Where one instance of a class is seen in a picture.
struct ClassMask {
  std::string name;            // of the class: car, pedestrian
  std::filesystem::path file;  // it was read from
  cv::Mat mask;                // CV_8UC1 of the picture's size, non-zero inside
};

}  // namespace dualdepth
