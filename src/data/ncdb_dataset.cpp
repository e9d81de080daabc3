#include "dualdepth/data/ncdb_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include "class_mask_index.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/log.h"
#include "dualdepth/data/ncdb_split.h"
#include "dualdepth/io/image.h"
#include "missing_files.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPictureFolder = "image_a6";
constexpr const char* kSyncedFolder = "synced_data";
constexpr const char* kMaskName = "binary_mask.png";
constexpr std::array kPictureExtensions = {".png", ".jpg", ".jpeg"};

std::string depth_folder_of(const DataOptions& options) {
  if (!options.depth_folder.empty()) return options.depth_folder;
  switch (options.depth_type) {
    case DepthType::kDepth:
      return "newest_depth_maps";
    case DepthType::kDepthOriginal:
      return "newest_original_depth_maps";
    case DepthType::kDistance:
      return "newest_distance_maps";
    case DepthType::kDistanceOriginal:
      return "newest_original_distance_maps";
  }
  return "";
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// With the extension that it has on disk; nothing where there is no such picture.
std::optional<fs::path> with_extension_on_disk(fs::path picture) {
  if (picture.has_extension() && is_file(picture)) return picture;
  for (const char* extension : kPictureExtensions) {
    fs::path file = picture;
    file += extension;
    if (is_file(file)) return file;
  }
  return std::nullopt;
}

std::optional<fs::path> find_picture(const fs::path& root, const NcdbSplitEntry& entry) {
  if (!entry.picture.empty()) {
    fs::path picture = root / entry.picture;
    if (is_file(picture)) return picture;
    return with_extension_on_disk(picture.parent_path() / entry.stem);
  }
  const fs::path sequence = root / entry.sequence;
  auto picture = with_extension_on_disk(sequence / kPictureFolder / entry.stem);
  if (!picture) {
    picture = with_extension_on_disk(sequence / kSyncedFolder / kPictureFolder / entry.stem);
  }
  return picture;
}

// The folders that may hold what belongs to a picture's sequence: beside the picture's folder and,
// where that is synced_data, above it.
std::vector<fs::path> sequence_folders(const fs::path& picture) {
  const fs::path beside = picture.parent_path().parent_path();
  if (beside.filename() == kSyncedFolder) return {beside, beside.parent_path()};
  return {beside};
}

std::optional<fs::path> find_mask(const fs::path& root, const fs::path& picture) {
  std::vector<fs::path> folders = sequence_folders(picture);
  folders.push_back(root);
  for (const fs::path& folder : folders) {
    if (is_file(folder / kMaskName)) return folder / kMaskName;
  }
  return std::nullopt;
}

cv::Mat read_mask_of(const fs::path& file, const fs::path& picture, cv::Size picture_size) {
  require_size_of_picture(file, read_image_size(file), picture, picture_size);
  return read_mask(file);
}

}  // namespace

NcdbDataset::NcdbDataset(const DataOptions& options, const fs::path& split)
    : class_masks_(std::make_unique<ClassMaskIndex>()) {
  const fs::path root = options.root;
  if (!fs::is_directory(root)) {
    throw Error({.subject = root.string(),
                 .expected = "the folder that data.root names",
                 .got = fs::exists(root) ? "a file" : "nothing there",
                 .fix = "set data.root to where the data lies"});
  }
  const std::vector<NcdbSplitEntry> listed = read_ncdb_split(split);
  const std::string depth_folder = depth_folder_of(options);
  MissingFiles missing;
  std::unordered_map<std::string, size_t> index_of;
  for (const NcdbSplitEntry& entry : listed) {
    const std::string place = fmt::format("{}: entry {}", split.string(), entry.index);
    const auto picture = find_picture(root, entry);
    if (!picture) {
      const fs::path expected = entry.picture.empty()
                                    ? root / entry.sequence / kPictureFolder / (entry.stem + ".png")
                                    : root / entry.picture;
      missing.add(place, "picture", expected.string() + " (or .jpg, or below synced_data)");
      continue;
    }
    const fs::path depth =
        picture->parent_path().parent_path() / depth_folder / (entry.stem + ".png");
    if (!is_file(depth)) {
      missing.add(place, "depth", depth.string());
      continue;
    }
    fs::path mask;
    if (options.use_mask) {
      const auto found = find_mask(root, *picture);
      if (!found) {
        missing.add(place, "mask",
                    (sequence_folders(*picture).front() / kMaskName).string() +
                        " (or in data.root), for data.use_mask");
        continue;
      }
      mask = *found;
    }
    const auto [first, is_new] = index_of.emplace(entry.id(), entry.index);
    if (!is_new) spdlog::warn("{}: {} is entry {} already", place, entry.id(), first->second);
    entries_.push_back({entry.id(), *picture, depth, mask});
  }
  missing.report(options.missing, listed.size());
  require_samples(entries_.size(), listed.size(), split.string());
  missing_ = missing.lines();
}

NcdbDataset::~NcdbDataset() = default;

Sample NcdbDataset::load(size_t index) const {
  const Entry& entry = entries_[index];
  cv::Mat rgb = read_rgb(entry.picture);
  Sample sample = load_truth(entry, rgb.size());
  sample.rgb = std::move(rgb);
  return sample;
}

Sample NcdbDataset::load_reduced(size_t index, cv::Size wanted) const {
  const Entry& entry = entries_[index];
  Sample sample = load_truth(entry, read_image_size(entry.picture));
  sample.rgb = read_rgb_reduced(entry.picture, wanted);
  return sample;
}

Sample NcdbDataset::load_truth(const Entry& entry, cv::Size picture_size) const {
  Sample sample;
  sample.id = entry.id;
  sample.depth = read_depth_png(entry.depth);
  require_size_of_picture(entry.depth, sample.depth.size(), entry.picture, picture_size);
  if (!entry.mask.empty())
    sample.valid_mask = read_mask_of(entry.mask, entry.picture, picture_size);
  return sample;
}

std::vector<ClassMask> NcdbDataset::load_class_masks(size_t index) const {
  const Entry& entry = entries_[index];
  std::vector<ClassMask> masks;
  for (const fs::path& folder : sequence_folders(entry.picture)) {
    const fs::path classes = folder / "segmentation_results" / "class_masks";
    for (auto& [name, file] : class_masks_->find(classes, entry.picture.stem().string())) {
      masks.push_back({name, file, {}});
    }
  }
  std::ranges::sort(masks, {}, &ClassMask::file);
  const cv::Size size = masks.empty() ? cv::Size() : read_image_size(entry.picture);
  for (ClassMask& mask : masks) mask.mask = read_mask_of(mask.file, entry.picture, size);
  return masks;
}

std::vector<fs::path> NcdbDataset::files(size_t index) const {
  const Entry& entry = entries_[index];
  std::vector<fs::path> files{entry.picture, entry.depth};
  if (!entry.mask.empty()) files.push_back(entry.mask);
  return files;
}

}  // namespace dualdepth
