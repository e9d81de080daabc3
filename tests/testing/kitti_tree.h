#pragma once

#include <string>

#include "dualdepth/config/data_options.h"
#include "testing/picture_tree.h"

namespace dualdepth::testing {

// Writes small made-up KITTI files.
class KittiTree : public PictureTree {
 public:
  static constexpr const char* kDate = "2011_09_26";
  static constexpr const char* kDrive = "2011_09_26_drive_0001_sync";
  static std::string raw_picture(int frame, const std::string& extension = ".png", int camera = 2) {
    return std::string(kDate) + "/" + kDrive + "/image_0" + std::to_string(camera) + "/data/" +
           padded(frame) + extension;
  }

  // Below train, val or a date.
  static std::string drive_depth(int frame, int camera = 2) {
    return std::string(kDrive) + "/proj_depth/groundtruth/image_0" + std::to_string(camera) + "/" +
           padded(frame) + ".png";
  }

  // `count` frames from 0 in raw/ and depth/train/, each with its own shade and depth, and the
  // split that lists them.
  void add_frames(int count) const {
    std::string split;
    for (int frame = 0; frame < count; ++frame) {
      add_picture("raw/" + raw_picture(frame), 40 + 5 * frame);
      add_depth("depth/train/" + drive_depth(frame), 5.0F + static_cast<float>(frame));
      split += std::string(kDate) + "/" + kDrive + " " + std::to_string(frame) + " l\n";
    }
    folder().write("train.txt", split);
  }

  DataOptions options() const {
    DataOptions options;
    options.root = root().string();
    options.train_split = (root() / "train.txt").string();
    options.val_split = options.train_split;
    options.image_shape = {32, 64};
    return options;
  }

  static std::string padded(int frame) {
    const std::string digits = std::to_string(frame);
    return std::string(10 - digits.size(), '0') + digits;
  }
};

}  // namespace dualdepth::testing
