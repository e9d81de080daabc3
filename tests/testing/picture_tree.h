#pragma once

#include <filesystem>
#include <opencv2/core.hpp>

#include "dualdepth/io/image.h"
#include "testing/temp_folder.h"

namespace dualdepth::testing {

// A folder with small made-up pictures and depth maps: 64x48 pixels, depth of one value.
class PictureTree {
 public:
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

 private:
  TempFolder folder_;
};

}  // namespace dualdepth::testing
