#pragma once

#include <filesystem>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "dualdepth/data/dataset.h"

namespace dualdepth::testing {

// Pictures of 100x200 whose depth is 10 m everywhere; their grey value is their index.
class FlatDataset : public Dataset {
 public:
  explicit FlatDataset(size_t size, bool with_truth = true) : with_truth_(with_truth) {
    for (size_t i = 0; i < size; ++i) ids_.push_back("flat/" + std::to_string(i));
  }
  size_t size() const override { return ids_.size(); }
  const std::string& id(size_t index) const override { return ids_[index]; }
  Sample load(size_t index) const override {
    Sample sample;
    sample.id = ids_[index];
    sample.rgb = cv::Mat(100, 200, CV_8UC3, cv::Scalar::all(static_cast<double>(index)));
    if (with_truth_) sample.depth = cv::Mat(100, 200, CV_32FC1, cv::Scalar(10));
    return sample;
  }
  std::vector<std::filesystem::path> files(size_t) const override { return {}; }
  const std::vector<std::string>& missing() const override { return missing_; }

 private:
  bool with_truth_;
  std::vector<std::string> ids_;
  std::vector<std::string> missing_;
};

}  // namespace dualdepth::testing
