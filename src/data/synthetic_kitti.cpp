#include "dualdepth/data/synthetic_kitti.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <numbers>
#include <string>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/staged_folder.h"
#include "dualdepth/data/synthetic_lidar.h"
#include "dualdepth/data/synthetic_rig.h"
#include "dualdepth/data/synthetic_road.h"
#include "dualdepth/io/image.h"
#include "dualdepth/io/velodyne.h"

namespace dualdepth::synthetic {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDate = "2026_01_01";
constexpr int kFirstFrame = 5;
constexpr double kMaxDenseDepth = 255;  // m; a 16-bit PNG ends at 255.996

std::string name_of(const SequencePlan& drive) {
  return fmt::format("{}_drive_{:04}_sync", kDate, drive.index + 1);
}

const char* split_of(const SequencePlan& drive) { return drive.validation ? "val" : "train"; }

std::string stem_of(int frame) { return fmt::format("{:010}", frame + kFirstFrame); }

fs::path depth_folder(const fs::path& root, const SequencePlan& drive) {
  return root / split_of(drive) / name_of(drive) / "proj_depth" / "groundtruth" / "image_02";
}

fs::path raw_folder(const fs::path& stage, const SequencePlan& drive) {
  return stage / "raw" / kDate / name_of(drive);
}

void make_folders(const fs::path& stage, const std::vector<SequencePlan>& drives) {
  for (const SequencePlan& drive : drives) {
    make_writable_folder(raw_folder(stage, drive) / "image_02" / "data");
    make_writable_folder(raw_folder(stage, drive) / "velodyne_points" / "data");
    make_writable_folder(depth_folder(stage / "depth", drive));
    make_writable_folder(depth_folder(stage / "depth_dense", drive));
  }
}

// One point a column, and a beam in every second row at most: 64 beams from 470 columns on, fewer
// for smaller pictures, so that 6 to 20 % of the pixels have depth as in KITTI's annotated maps.
Lidar lidar_beside(const Camera& camera, uint64_t seed) {
  Lidar lidar;
  const double pixel = camera.pixel_angle * 180 / std::numbers::pi;
  lidar.azimuth_step = pixel;
  lidar.beams = std::clamp(cvRound((lidar.highest - lidar.lowest) / (2 * pixel)), 16, 64);
  lidar.seed = seed;
  return lidar;
}

void render_frame(const SyntheticSetOptions& options, const KittiRig& rig, const fs::path& stage,
                  const SequencePlan& drive, int frame) {
  const RoadDrive road(options.seed, drive.index, drive.frames);
  const Scene scene = road.scene(frame);
  const Pose pose = road.camera_pose(frame);
  const Sensor sensor = road.sensor(frame);
  const Camera camera = pinhole_camera(rig.intrinsics(), rig.size, pose);
  const Rendering rendering = render(scene, camera, sensor);
  cv::Mat1f dense;
  rendering.depth.convertTo(dense, CV_32F);
  dense.setTo(0, dense > kMaxDenseDepth);
  const Lidar lidar = lidar_beside(camera, sensor.seed);
  const std::vector<cv::Vec4f> sweep = scan(scene, pose * rig.lidar_in_camera(), lidar);

  const fs::path raw = raw_folder(stage, drive);
  write_rgb(raw / "image_02" / "data" / (stem_of(frame) + ".jpg"), rendering.rgb);
  write_velodyne(raw / "velodyne_points" / "data" / (stem_of(frame) + ".bin"), sweep);
  const std::string png = stem_of(frame) + ".png";
  write_depth_png(depth_folder(stage / "depth", drive) / png,
                  keep_measured(dense, sweep, rig.lidar_in_camera(), camera, lidar.max_range));
  write_depth_png(depth_folder(stage / "depth_dense", drive) / png, dense);
}

void write_split(const fs::path& file, const std::vector<SequencePlan>& drives, bool validation) {
  std::string lines;
  for (const SequencePlan& drive : drives) {
    if (drive.validation != validation) continue;
    for (int frame = 0; frame < drive.frames; ++frame) {
      lines += fmt::format("{}/{} {} l\n", kDate, name_of(drive), stem_of(frame));
    }
  }
  write_file_atomically(file, lines);
}

}  // namespace

std::optional<SyntheticSetSummary> synthesize_kitti(const SyntheticSetOptions& options) {
  const std::vector<SequencePlan> drives = plan_sequences(options);
  const StopSignal stop;  // before the first file, so that a signal leaves none behind
  StagedFolder folder(options.out, "synthetic.json", "synthetic set");
  const fs::path& stage = folder.stage();
  const KittiRig rig(options.size);
  make_folders(stage, drives);
  const bool done = render_frames(drives, options, stop, [&](const SequencePlan& drive, int frame) {
    render_frame(options, rig, stage, drive, frame);
  });
  if (!done) return std::nullopt;
  rig.write_calibration(stage / "raw" / kDate);
  make_writable_folder(stage / "splits");
  write_split(stage / "splits" / "train.txt", drives, false);
  write_split(stage / "splits" / "val.txt", drives, true);
  folder.publish(describe_set("kitti", options));
  return summary_of(drives);
}

}  // namespace dualdepth::synthetic
