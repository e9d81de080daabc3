#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "dualdepth/data/kitti_split.h"

namespace dualdepth {

// Where the files of a KITTI data set lie:
//
//   RAW/date/calib_cam_to_cam.txt, calib_velo_to_cam.txt
//   RAW/date/drive/image_0{2,3}/data/FRAME.{png,jpg}
//   RAW/date/drive/velodyne_points/data/FRAME.bin
//   DEPTH/{train,val}/drive/proj_depth/groundtruth/image_0{2,3}/FRAME.png
//
// RAW is root or root/raw. Annotated depth is searched in DEPTH/train, DEPTH/val and DEPTH itself
// (people merge the two), then inside the raw drive; DEPTH is depth_root when that is given,
// otherwise root, its parent, and `depth` or `data_depth_annotated` in either.
class KittiLayout {
 public:
  // Throws Error when root, or a depth_root that is given, is no folder.
  KittiLayout(const std::filesystem::path& root, const std::filesystem::path& depth_root);

  // The file, or nothing when it does not exist.
  std::optional<std::filesystem::path> picture(const KittiFrame& frame) const;
  std::optional<std::filesystem::path> sweep(const KittiFrame& frame) const;
  std::optional<std::filesystem::path> annotated_depth(const KittiFrame& frame) const;

  // A picture named by path, absolute or relative to root or root/raw, with this extension or
  // another one.
  std::optional<std::filesystem::path> picture_at(const std::filesystem::path& path) const;

  // Annotated depth by the path below train or val: drive/proj_depth/groundtruth/image_02/X.png.
  std::optional<std::filesystem::path> annotated_depth_at(const std::filesystem::path& path) const;

  // RAW/date, where the calibration lies; nothing when there is no such folder.
  std::optional<std::filesystem::path> date_folder(const KittiFrame& frame) const;

  // Where the frame's files would lie, for messages.
  std::filesystem::path expected_picture(const KittiFrame& frame) const;
  std::filesystem::path expected_sweep(const KittiFrame& frame) const;
  std::filesystem::path expected_depth(const KittiFrame& frame) const;

 private:
  std::vector<std::filesystem::path> raw_folders_;
  std::vector<std::filesystem::path> depth_folders_;  // each holds drives
};

}  // namespace dualdepth
