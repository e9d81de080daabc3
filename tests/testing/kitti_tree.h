#pragma once

#include <filesystem>
#include <opencv2/core.hpp>
#include <string>

#include "dualdepth/config/data_options.h"
#include "dualdepth/io/image.h"
#include "testing/temp_folder.h"

namespace dualdepth::testing {

// Writes small made-up KITTI files: pictures of 64x48 pixels, depth of one value.
class KittiTree {
 public:
  static constexpr const char* kDate = "2011_09_26";
  static constexpr const char* kDrive = "2011_09_26_drive_0001_sync";
  static constexpr int kWidth = 64;
  static constexpr int kHeight = 48;

  std::filesystem::path root() const { return folder_.path(); }
  const TempFolder& folder() const { return folder_; }

  // The colour at (x, y) is (shade + x, shade + y, shade).
  std::filesystem::path add_picture(const std::filesystem::path& name, int shade = 60,
                                    cv::Size size = {kWidth, kHeight}) const {
    cv::Mat rgb(size, CV_8UC3);
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        rgb.at<cv::Vec3b>(y, x) = {cv::saturate_cast<uchar>(shade + x),
                                   cv::saturate_cast<uchar>(shade + y),
                                   cv::saturate_cast<uchar>(shade)};
      }
    }
    std::filesystem::create_directories((root() / name).parent_path());
    write_rgb(root() / name, rgb);
    return root() / name;
  }

  // `metres` on every 4th pixel of every 4th row; 0 metres: no value at all.
  std::filesystem::path add_depth(const std::filesystem::path& name, float metres = 10,
                                  cv::Size size = {kWidth, kHeight}) const {
    cv::Mat depth = cv::Mat::zeros(size, CV_32FC1);
    for (int y = 2; y < size.height; y += 4) {
      for (int x = 1; x < size.width; x += 4) depth.at<float>(y, x) = metres;
    }
    std::filesystem::create_directories((root() / name).parent_path());
    write_depth_png(root() / name, depth);
    return root() / name;
  }

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
    folder_.write("train.txt", split);
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

 private:
  TempFolder folder_;
};

}  // namespace dualdepth::testing
