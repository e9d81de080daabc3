#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dualdepth/data/dataset.h"

namespace dualdepth {

// `most` samples of another data set, evenly spread (base/spread.h); all when there are no more.
class SpreadDataset : public Dataset {
 public:
  SpreadDataset(std::unique_ptr<Dataset> all, size_t most);

  size_t size() const override { return indices_.size(); }
  const std::string& id(size_t index) const override { return all_->id(indices_.at(index)); }
  Sample load(size_t index) const override { return all_->load(indices_.at(index)); }
  Sample load_reduced(size_t index, cv::Size wanted) const override {
    return all_->load_reduced(indices_.at(index), wanted);
  }
  std::vector<ClassMask> load_class_masks(size_t index) const override {
    return all_->load_class_masks(indices_.at(index));
  }
  std::vector<std::filesystem::path> files(size_t index) const override {
    return all_->files(indices_.at(index));
  }
  const std::vector<std::string>& missing() const override { return all_->missing(); }

 private:
  std::unique_ptr<Dataset> all_;
  std::vector<size_t> indices_;
};

}  // namespace dualdepth
