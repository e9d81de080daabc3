#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dualdepth/data/dataset.h"

namespace dualdepth {

class ClassMaskIndex;

// NCDB on disk: near-field pictures of one fisheye camera with depth in metres. For an entry of the
// split (ncdb_split.h) with sequence S and stem N:
//
//   - root/S/image_a6/N.png: the picture, or .jpg, .jpeg; below root/S/synced_data/ as well
//   - root/S/<depth folder>/N.png: beside image_a6, 16 bits, metres * 256
//   - root/S/binary_mask.png: or, for all sequences, root/binary_mask.png; non-zero pixels count;
//     read with data.use_mask alone
//   - root/S/segmentation_results/class_masks/<class>/N_<i>.png: instance i of a class in this
//     picture, non-zero inside; a folder is listed when one of its pictures is first asked for
//
//   data.depth_type: depth folder, and what its values are
//   - depth: newest_depth_maps, along the axis, LiDAR and synthetic points
//   - depth_original: newest_original_depth_maps, along the axis, LiDAR alone
//   - distance: newest_distance_maps, from the camera, LiDAR and synthetic points
//   - distance_original: newest_original_distance_maps, from the camera, LiDAR alone
//
// data.depth_folder names another folder beside image_a6 in place of these.
//
// All files but class masks are looked for when the data set is opened. Samples that lack one are
// an error, or, with data.missing: skip, are left out, counted and logged. Depth and masks of
// another size than their picture are an error when they are read.
class NcdbDataset : public Dataset {
 public:
  NcdbDataset(const DataOptions& options, const std::filesystem::path& split);
  ~NcdbDataset() override;

  size_t size() const override { return entries_.size(); }
  const std::string& id(size_t index) const override { return entries_[index].id; }
  Sample load(size_t index) const override;
  Sample load_reduced(size_t index, cv::Size wanted) const override;
  std::vector<ClassMask> load_class_masks(size_t index) const override;
  std::vector<std::filesystem::path> files(size_t index) const override;
  const std::vector<std::string>& missing() const override { return missing_; }

 private:
  struct Entry {
    std::string id;
    std::filesystem::path picture;
    std::filesystem::path depth;
    std::filesystem::path mask;  // empty: none
  };

  Sample load_truth(const Entry& entry, cv::Size picture_size) const;

  std::vector<Entry> entries_;
  std::vector<std::string> missing_;
  std::unique_ptr<ClassMaskIndex> class_masks_;
};

}  // namespace dualdepth
