#include "dualdepth/data/kitti_dataset.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_map>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/log.h"
#include "dualdepth/data/velodyne_depth.h"
#include "dualdepth/io/image.h"
#include "dualdepth/io/velodyne.h"
#include "missing_files.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCameraCalibration = "calib_cam_to_cam.txt";
constexpr const char* kVelodyneCalibration = "calib_velo_to_cam.txt";

std::string size_text(cv::Size size) {
  return std::to_string(size.width) + "x" + std::to_string(size.height);
}

// The pictures of a benchmark folder in the order of their names, as if a split listed them.
std::vector<KittiSplitEntry> list_benchmark_folder(const fs::path& root) {
  if (!fs::is_directory(root / "image")) {
    throw Error({.subject = root.string(),
                 .expected = "a split file, or a benchmark folder that holds `image`",
                 .got = "neither",
                 .fix = "set data.train_split and data.val_split"});
  }
  std::vector<KittiSplitEntry> entries;
  for (const fs::directory_entry& file : fs::directory_iterator(root / "image")) {
    const std::string extension = file.path().extension().string();
    if (extension != ".png" && extension != ".jpg") continue;
    entries.emplace_back().picture = fs::path("image") / file.path().filename();
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.picture < b.picture; });
  return entries;
}

// `intrinsics/*.txt` of the benchmark folders: the nine values of K, row by row.
Intrinsics read_benchmark_intrinsics(const fs::path& file) {
  std::istringstream stream(read_file(file));
  std::array<double, 9> k{};
  for (double& value : k) stream >> value;
  if (!stream) {
    throw Error({.subject = file.string(),
                 .expected = "the nine numbers of a 3x3 camera matrix",
                 .got = "fewer",
                 .fix = ""});
  }
  return {.fx = k[0], .fy = k[4], .cx = k[2], .cy = k[5]};
}

}  // namespace

// Finds the files of each split entry.
class KittiDataset::Builder {
 public:
  Builder(const DataOptions& options, const fs::path& split)
      : options_(options), split_(split), layout_(options.root, options.depth_root) {}

  void build(KittiDataset& dataset) {
    const std::vector<KittiSplitEntry> listed =
        split_.empty() ? list_benchmark_folder(options_.root) : read_kitti_split(split_);
    std::unordered_map<std::string, int> line_of;
    for (const KittiSplitEntry& line : listed) {
      std::optional<Entry> entry = resolve(line);
      if (!entry) continue;
      const auto [first, is_new] = line_of.emplace(entry->id, line.line);
      if (!is_new) {
        spdlog::warn("{}:{}: {} stands in line {} already", split_.string(), line.line, entry->id,
                     first->second);
      }
      dataset.entries_.push_back(std::move(*entry));
    }
    missing_.report(options_.missing, listed.size());
    require_samples(dataset.entries_.size(), listed.size(),
                    split_.empty() ? options_.root : split_.string());
    dataset.missing_ = missing_.lines();
  }

 private:
  std::optional<Entry> resolve(const KittiSplitEntry& line) {
    auto picture = line.picture.empty() ? std::nullopt : layout_.picture_at(line.picture);
    if (!picture && line.frame) picture = layout_.picture(*line.frame);
    if (!picture) {
      const fs::path expected = line.frame ? layout_.expected_picture(*line.frame)
                                           : fs::path(options_.root) / line.picture;
      return leave_out(line, "picture", expected.string() + " (or .jpg)");
    }
    Entry entry;
    entry.picture = *picture;
    const bool found =
        line.frame ? resolve_raw(line, *line.frame, entry) : resolve_loose(line, entry);
    if (!found) return std::nullopt;
    return entry;
  }

  // A picture of a raw drive. False: its ground truth is missing.
  bool resolve_raw(const KittiSplitEntry& line, const KittiFrame& frame, Entry& entry) {
    entry.id = frame.id();
    const std::optional<fs::path> date_folder = layout_.date_folder(frame);
    if (date_folder && fs::exists(*date_folder / kCameraCalibration)) {
      entry.calibration = *date_folder;
      entry.intrinsics = intrinsics_of(*date_folder, frame.camera);
    }
    const bool velodyne = options_.ground_truth == GroundTruthKind::kVelodyne;
    if (!velodyne && line.without_depth) return true;
    auto file = velodyne     ? layout_.sweep(frame)
                : line.depth ? layout_.annotated_depth_at(*line.depth)
                             : std::nullopt;
    if (!file && !velodyne) file = layout_.annotated_depth(frame);
    if (!file) {
      const fs::path expected =
          velodyne ? layout_.expected_sweep(frame) : layout_.expected_depth(frame);
      leave_out(line, velodyne ? "sweep" : "depth", expected.string());
      return false;
    }
    entry.depth = *file;
    if (velodyne) {
      entry.calibration = date_folder.value_or(fs::path(options_.root) / frame.date);
      entry.camera = camera_of(entry.calibration, frame.camera);
    }
    return true;
  }

  // A picture outside the raw drives: of a benchmark folder, or without ground truth.
  bool resolve_loose(const KittiSplitEntry& line, Entry& entry) {
    const fs::path folder = entry.picture.parent_path().parent_path();
    const fs::path intrinsics =
        folder / "intrinsics" / entry.picture.filename().replace_extension(".txt");
    if (fs::exists(intrinsics)) {
      entry.calibration = intrinsics;
      entry.intrinsics = read_benchmark_intrinsics(intrinsics);
    }
    const auto frame = parse_selection_name(entry.picture.stem().string());
    if (frame) {
      entry.id = frame->id();
      const fs::path depth = folder / "groundtruth_depth" /
                             (frame->drive + "_groundtruth_depth_" + frame->frame + "_image_0" +
                              std::to_string(frame->camera) + ".png");
      if (!fs::exists(depth)) {
        leave_out(line, "depth", depth.string());
        return false;
      }
      entry.depth = depth;
      return true;
    }
    entry.id = fs::path(line.picture).relative_path().replace_extension().generic_string();
    if (line.without_depth || !line.depth) return true;
    const auto depth = layout_.annotated_depth_at(*line.depth);
    if (!depth) {
      leave_out(line, "depth", line.depth->string());
      return false;
    }
    entry.depth = *depth;
    return true;
  }

  const Intrinsics& intrinsics_of(const fs::path& date_folder, int camera) {
    const auto key = std::pair(date_folder, camera);
    auto found = intrinsics_.find(key);
    if (found == intrinsics_.end()) {
      found =
          intrinsics_.emplace(key, read_kitti_intrinsics(date_folder / kCameraCalibration, camera))
              .first;
    }
    return found->second;
  }

  std::shared_ptr<const KittiCamera> camera_of(const fs::path& date_folder, int camera) {
    auto& found = cameras_[std::pair(date_folder, camera)];
    if (!found) {
      found = std::make_shared<const KittiCamera>(read_kitti_camera(date_folder, camera));
    }
    return found;
  }

  std::nullopt_t leave_out(const KittiSplitEntry& line, const char* what,
                           const std::string& expected) {
    const std::string place =
        split_.empty() ? options_.root : split_.string() + ":" + std::to_string(line.line);
    missing_.add(place, what, expected);
    return std::nullopt;
  }

  const DataOptions& options_;
  const fs::path split_;
  KittiLayout layout_;
  std::map<std::pair<fs::path, int>, Intrinsics> intrinsics_;
  std::map<std::pair<fs::path, int>, std::shared_ptr<const KittiCamera>> cameras_;
  MissingFiles missing_;
};

KittiDataset::KittiDataset(const DataOptions& options, const fs::path& split)
    : projection_(options.projection) {
  Builder(options, split).build(*this);
}

Sample KittiDataset::load(size_t index) const {
  const Entry& entry = entries_[index];
  cv::Mat rgb = read_rgb(entry.picture);
  cv::Mat depth = load_depth(entry, rgb.size());
  return {entry.id, std::move(rgb), std::move(depth), /*valid_mask=*/{}, entry.intrinsics};
}

Sample KittiDataset::load_reduced(size_t index, cv::Size wanted) const {
  const Entry& entry = entries_[index];
  return {entry.id, read_rgb_reduced(entry.picture, wanted),
          load_depth(entry, read_image_size(entry.picture)), /*valid_mask=*/{}, entry.intrinsics};
}

cv::Mat KittiDataset::load_depth(const Entry& entry, cv::Size picture_size) const {
  if (entry.depth.empty()) return {};
  if (entry.camera) {
    if (entry.camera->size != picture_size) {
      throw Error({.subject = entry.picture.string(),
                   .expected = size_text(entry.camera->size) + " pixels, which " +
                               (entry.calibration / kCameraCalibration).string() + " is made for",
                   .got = size_text(picture_size),
                   .fix = "use the pictures at their original size"});
    }
    return project_velodyne(read_velodyne(entry.depth), *entry.camera, picture_size, projection_);
  }
  cv::Mat depth = read_depth_png(entry.depth);
  require_size_of_picture(entry.depth, depth.size(), entry.picture, picture_size);
  return depth;
}

std::vector<fs::path> KittiDataset::files(size_t index) const {
  const Entry& entry = entries_[index];
  std::vector<fs::path> files{entry.picture};
  if (!entry.depth.empty()) files.push_back(entry.depth);
  if (entry.camera) {
    files.push_back(entry.calibration / kCameraCalibration);
    files.push_back(entry.calibration / kVelodyneCalibration);
  }
  return files;
}

}  // namespace dualdepth
