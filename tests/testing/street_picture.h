#pragma once

#include <algorithm>
#include <filesystem>
#include <opencv2/core.hpp>
#include <vector>

#include "dualdepth/data/synthetic_picture.h"
#include "dualdepth/io/image.h"
#include "testing/shared_data.h"

namespace dualdepth::testing {

// Returns one of eight pictures of streets, index 0..7: frames of kitti_mini's left camera, spread
// evenly over all of them in the order of their paths, or rendered ones where these are absent.
inline cv::Mat street_picture(size_t index) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  const fs::path raw = shared_path("kitti_mini/raw");
  if (fs::exists(raw)) {
    for (const auto& entry : fs::recursive_directory_iterator(raw)) {
      const fs::path folder = entry.path().parent_path();
      const bool is_frame = folder.filename() == "data" && entry.path().extension() == ".jpg" &&
                            folder.parent_path().filename() == "image_02";
      if (is_frame) files.push_back(entry.path());
    }
  }
  if (files.empty()) {
    return synthetic::render_picture(DatasetKind::kKitti, {640, 192}, static_cast<int>(index));
  }
  std::ranges::sort(files);
  return read_rgb(files.at(index * files.size() / 8));
}

}  // namespace dualdepth::testing
