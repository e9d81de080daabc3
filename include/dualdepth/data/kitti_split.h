#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dualdepth {

// One picture of a raw drive.
struct KittiFrame {
  std::string date;   // 2011_09_26
  std::string drive;  // 2011_09_26_drive_0001_sync
  int camera = 2;     // 2 left colour, 3 right colour
  std::string frame;  // 0000000005

  // date/drive/image_0x/frame
  std::string id() const;

  bool operator==(const KittiFrame&) const = default;
};

// What one line of a split file says. Which of the three kinds a line is, it tells by itself:
//
//   monodepth2   2011_09_26/2011_09_26_drive_0001_sync 5 l           (frame padded or not; l or r)
//   BTS          2011_09_26/2011_09_26_drive_0001_sync/image_02/data/0000000005.png
//                2011_09_26_drive_0001_sync/proj_depth/groundtruth/image_02/0000000005.png 721.5377
//                (depth may be None: a picture without ground truth)
//   picture      any path of a .png, .jpg or .jpeg file
struct KittiSplitEntry {
  int line = 0;                                // 1 is the first
  std::filesystem::path picture;               // as the line has it; empty for monodepth2
  std::optional<KittiFrame> frame;             // where the line or the path names one
  std::optional<std::filesystem::path> depth;  // BTS: as the line has it
  bool without_depth = false;                  // BTS: None
};

// Reads a split file; blank lines are passed over. Throws Error naming FILE:LINE for a line of no
// known kind, and FILE when it lists nothing.
std::vector<KittiSplitEntry> read_kitti_split(const std::filesystem::path& file);

// The frame that a raw picture's path names (.../date/drive/image_0x/data/frame.ext), or nothing.
std::optional<KittiFrame> parse_raw_picture_path(const std::filesystem::path& path);

// The frame that the name of a picture in val_selection_cropped/image holds
// (2011_09_26_drive_0002_sync_image_0000000005_image_02.png), or nothing.
std::optional<KittiFrame> parse_selection_name(std::string_view stem);

}  // namespace dualdepth
