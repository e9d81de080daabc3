#include "dualdepth/data/kitti_layout.h"

#include <algorithm>
#include <array>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

constexpr std::array kPictureExtensions = {".png", ".jpg", ".jpeg"};

// What cannot be looked at (no permission, say) counts as not there.
bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

fs::path checked_folder(const fs::path& folder, const char* key) {
  if (is_folder(folder)) return folder;
  throw Error({.subject = folder.string(),
               .expected = "the folder that " + std::string(key) + " names",
               .got = fs::exists(folder) ? "a file" : "nothing there",
               .fix = "set " + std::string(key) + " to where the data lies"});
}

void add_existing(std::vector<fs::path>& folders, const fs::path& folder) {
  if (!is_folder(folder)) return;
  if (std::find(folders.begin(), folders.end(), folder) == folders.end()) folders.push_back(folder);
}

std::vector<fs::path> depth_bases(const fs::path& root, const fs::path& depth_root) {
  if (!depth_root.empty()) return {checked_folder(depth_root, "data.depth_root")};
  const fs::path parent = fs::absolute(root).lexically_normal() / "..";
  std::vector<fs::path> bases;
  for (const fs::path& place : {root, parent.lexically_normal()}) {
    bases.push_back(place);
    bases.push_back(place / "depth");
    bases.push_back(place / "data_depth_annotated");
  }
  return bases;
}

std::optional<fs::path> first_file(const std::vector<fs::path>& folders, const fs::path& below) {
  for (const fs::path& folder : folders) {
    fs::path file = folder / below;
    if (is_file(file)) return file;
  }
  return std::nullopt;
}

std::string camera_folder(const KittiFrame& frame) {
  return "image_0" + std::to_string(frame.camera);
}

fs::path picture_below_raw(const KittiFrame& frame) {
  return fs::path(frame.date) / frame.drive / camera_folder(frame) / "data" /
         (frame.frame + ".png");
}

fs::path sweep_below_raw(const KittiFrame& frame) {
  return fs::path(frame.date) / frame.drive / "velodyne_points/data" / (frame.frame + ".bin");
}

fs::path depth_below_drives(const KittiFrame& frame) {
  return fs::path(frame.drive) / "proj_depth/groundtruth" / camera_folder(frame) /
         (frame.frame + ".png");
}

}  // namespace

KittiLayout::KittiLayout(const fs::path& root, const fs::path& depth_root) {
  raw_folders_.push_back(checked_folder(root, "data.root"));
  add_existing(raw_folders_, root / "raw");
  for (const fs::path& base : depth_bases(root, depth_root)) {
    for (const char* part : {"train", "val", ""}) add_existing(depth_folders_, base / part);
  }
}

std::optional<fs::path> KittiLayout::picture(const KittiFrame& frame) const {
  return picture_at(picture_below_raw(frame));
}

std::optional<fs::path> KittiLayout::picture_at(const fs::path& path) const {
  for (const fs::path& raw : raw_folders_) {
    fs::path file = raw / path;  // an absolute path stays what it is
    if (is_file(file)) return file;
    for (const char* extension : kPictureExtensions) {
      if (is_file(file.replace_extension(extension))) return file;
    }
  }
  return std::nullopt;
}

std::optional<fs::path> KittiLayout::sweep(const KittiFrame& frame) const {
  return first_file(raw_folders_, sweep_below_raw(frame));
}

std::optional<fs::path> KittiLayout::annotated_depth(const KittiFrame& frame) const {
  const fs::path below = depth_below_drives(frame);
  if (auto file = annotated_depth_at(below)) return file;
  return first_file(raw_folders_, frame.date / below);
}

std::optional<fs::path> KittiLayout::annotated_depth_at(const fs::path& path) const {
  return first_file(depth_folders_, path);
}

std::optional<fs::path> KittiLayout::date_folder(const KittiFrame& frame) const {
  for (const fs::path& raw : raw_folders_) {
    if (is_folder(raw / frame.date)) return raw / frame.date;
  }
  return std::nullopt;
}

fs::path KittiLayout::expected_picture(const KittiFrame& frame) const {
  return raw_folders_.back() / picture_below_raw(frame);
}

fs::path KittiLayout::expected_sweep(const KittiFrame& frame) const {
  return raw_folders_.back() / sweep_below_raw(frame);
}

fs::path KittiLayout::expected_depth(const KittiFrame& frame) const {
  return depth_folders_.front() / depth_below_drives(frame);
}

}  // namespace dualdepth
