#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dualdepth/data/dataset.h"
#include "dualdepth/data/kitti_layout.h"

namespace dualdepth {

// KITTI on disk: raw drives with annotated or velodyne ground truth (kitti_layout.h says where the
// files are searched, kitti_split.h how they are listed), and the two benchmark folders
//
//   val_selection_cropped/{image,groundtruth_depth,intrinsics}      1000 pictures of 1216x352
//   test_depth_prediction_anonymous/{image,intrinsics}              500 pictures, no ground truth
//
// which need no split file: with an empty split, root names such a folder and all its pictures are
// taken in the order of their names. Ids are date/drive/image_0x/frame; a picture that names no
// drive has the path below root without extension.
//
// All files are looked for when the data set is opened. Those that lack a file are an error, or,
// with data.missing: skip, are left out, counted and logged.
class KittiDataset : public Dataset {
 public:
  // `split` may be empty for a benchmark folder.
  KittiDataset(const DataOptions& options, const std::filesystem::path& split);

  size_t size() const override { return entries_.size(); }
  const std::string& id(size_t index) const override { return entries_[index].id; }
  Sample load(size_t index) const override;
  Sample load_reduced(size_t index, cv::Size wanted) const override;
  std::vector<std::filesystem::path> files(size_t index) const override;
  const std::vector<std::string>& missing() const override { return missing_; }

 private:
  struct Entry {
    std::string id;
    std::filesystem::path picture;
    std::filesystem::path depth;                // PNG, or .bin with velodyne; empty: none
    std::filesystem::path calibration;          // date folder, or intrinsics file; empty: none
    std::shared_ptr<const KittiCamera> camera;  // velodyne alone
    std::optional<Intrinsics> intrinsics;
  };
  class Builder;

  cv::Mat load_depth(const Entry& entry, cv::Size picture_size) const;

  ProjectionKind projection_;
  std::vector<Entry> entries_;
  std::vector<std::string> missing_;
};

}  // namespace dualdepth
