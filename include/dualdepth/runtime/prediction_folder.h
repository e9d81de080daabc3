#pragma once

#include <filesystem>
#include <opencv2/core.hpp>
#include <optional>
#include <string>
#include <vector>

#include "dualdepth/data/dataset.h"

namespace dualdepth {

// Predictions that something else made, a chip say, as files that NumPy writes:
//
//   .npy   depth in metres [H, W] (leading dimensions of size 1 are dropped)
//   .npz   the array `depth`, or the two heads `integer_sigmoid` and `fractional_sigmoid`, of which
//          depth = integer * max_depth + fraction
//
// The file of a sample is the first of these that is there:
//
//   1. DIR/<id>.npy or .npz
//   2. the only one below DIR whose path begins with the id's folder and ends with its last part:
//      for `drive/image_02/0000000005` also drive/image_02/data/0000000005.npy
//   3. the only one below DIR with the last part of the id as its name, if no other sample of the
//      data set shares that last part
class PredictionFolder {
 public:
  // Finds the files of all samples. max_depth: metres that 1 in `integer_sigmoid` stands for.
  // Throws Error naming the sample when it has no file, or several that could be meant.
  PredictionFolder(const std::filesystem::path& folder, const Dataset& dataset,
                   std::optional<double> max_depth);

  // CV_32FC1, metres, at the size that the file has. Throws Error naming the file when it cannot be
  // read, has neither depth nor both heads, heads of different sizes, or heads without max_depth.
  cv::Mat depth(size_t index) const;

 private:
  cv::Mat depth_of_npz(const std::filesystem::path& file) const;

  std::vector<std::filesystem::path> files_;
  std::optional<double> max_depth_;
};

}  // namespace dualdepth
