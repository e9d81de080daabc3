#include "dualdepth/data/synthetic_kitti.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <numbers>
#include <string>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/parallel.h"
#include "dualdepth/base/progress.h"
#include "dualdepth/base/stop_signal.h"
#include "dualdepth/data/synthetic_folder.h"
#include "dualdepth/data/synthetic_lidar.h"
#include "dualdepth/data/synthetic_rig.h"
#include "dualdepth/data/synthetic_road.h"
#include "dualdepth/io/image.h"
#include "dualdepth/io/velodyne.h"

namespace dualdepth::synthetic {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDate = "2026_01_01";
constexpr int kFramesPerDrive = 10;
constexpr int kFirstFrame = 5;
constexpr int kMaxFrames = 90'000;  // drive numbers have four digits
constexpr int kMinSide = 32;
constexpr int kMaxSide = 8192;
constexpr double kMaxDenseDepth = 255;  // m; a 16-bit PNG ends at 255.996

struct Drive {
  int index;
  int frames;
  bool validation;

  std::string name() const { return fmt::format("{}_drive_{:04}_sync", kDate, index + 1); }
  const char* split() const { return validation ? "val" : "train"; }
};

// One frame of one drive.
struct Job {
  const Drive* drive;
  int frame;

  std::string stem() const { return fmt::format("{:010}", frame + kFirstFrame); }
};

void check(const SyntheticKittiOptions& options) {
  const auto expect = [](bool holds, const char* subject, const std::string& range,
                         const std::string& got) {
    if (!holds) throw Error({.subject = subject, .expected = range, .got = got, .fix = ""});
  };
  const auto [width, height] = options.size;
  expect(options.frames >= 2 && options.frames <= kMaxFrames, "frames",
         fmt::format("2 to {} (one for train and val each at least)", kMaxFrames),
         std::to_string(options.frames));
  expect(std::min(width, height) >= kMinSide && std::max(width, height) <= kMaxSide, "shape",
         fmt::format("sides of {} to {} px", kMinSide, kMaxSide),
         fmt::format("{}x{}", height, width));
}

std::vector<Drive> plan_drives(int frames) {
  const int count = std::max(2, (frames + kFramesPerDrive - 1) / kFramesPerDrive);
  std::vector<Drive> drives;
  for (int i = 0; i < count; ++i) {
    const bool validation = i % 5 == 4 || (count < 5 && i == count - 1);
    drives.push_back({i, frames / count + (i < frames % count ? 1 : 0), validation});
  }
  return drives;
}

std::vector<Job> plan_jobs(const std::vector<Drive>& drives) {
  std::vector<Job> jobs;
  for (const Drive& drive : drives) {
    for (int frame = 0; frame < drive.frames; ++frame) jobs.push_back({&drive, frame});
  }
  return jobs;
}

fs::path depth_folder(const fs::path& root, const Drive& drive) {
  return root / drive.split() / drive.name() / "proj_depth" / "groundtruth" / "image_02";
}

fs::path raw_folder(const fs::path& stage, const Drive& drive) {
  return stage / "raw" / kDate / drive.name();
}

void make_folders(const fs::path& stage, const std::vector<Drive>& drives) {
  for (const Drive& drive : drives) {
    make_writable_folder(raw_folder(stage, drive) / "image_02" / "data");
    make_writable_folder(raw_folder(stage, drive) / "velodyne_points" / "data");
    make_writable_folder(depth_folder(stage / "depth", drive));
    make_writable_folder(depth_folder(stage / "depth_dense", drive));
  }
}

// Keeps the depth of the pixels on which a point of the sweep falls, as far as the LiDAR reaches.
// The value is that of the pixel's centre, so sparse and dense depth agree.
cv::Mat1f keep_measured(const cv::Mat1f& dense, const std::vector<cv::Vec4f>& sweep,
                        const KittiRig& rig, double max_range) {
  cv::Mat1f sparse(dense.size(), 0.0F);
  const Pose lidar = rig.lidar_in_camera();
  const Intrinsics k = rig.intrinsics();
  for (const cv::Vec4f& point : sweep) {
    const Vec3 p = lidar.to_world({point[0], point[1], point[2]});
    if (p.x <= 0) continue;
    const cv::Point pixel(cvRound(k.cx - k.fx * p.y / p.x), cvRound(k.cy - k.fy * p.z / p.x));
    if (!cv::Rect({}, dense.size()).contains(pixel)) continue;
    if (dense(pixel) <= max_range) sparse(pixel) = dense(pixel);
  }
  return sparse;
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

void render_frame(const SyntheticKittiOptions& options, const KittiRig& rig, const fs::path& stage,
                  const Job& job) {
  const Drive& drive = *job.drive;
  const RoadDrive road(options.seed, drive.index, drive.frames);
  const Scene scene = road.scene(job.frame);
  const Pose pose = road.camera_pose(job.frame);
  const Sensor sensor = road.sensor(job.frame);
  const Camera camera = pinhole_camera(rig.intrinsics(), rig.size, pose);
  const Rendering rendering = render(scene, camera, sensor);
  cv::Mat1f dense;
  rendering.depth.convertTo(dense, CV_32F);
  dense.setTo(0, dense > kMaxDenseDepth);
  const Lidar lidar = lidar_beside(camera, sensor.seed);
  const std::vector<cv::Vec4f> sweep = scan(scene, pose * rig.lidar_in_camera(), lidar);

  const fs::path raw = raw_folder(stage, drive);
  write_rgb(raw / "image_02" / "data" / (job.stem() + ".jpg"), rendering.rgb);
  write_velodyne(raw / "velodyne_points" / "data" / (job.stem() + ".bin"), sweep);
  const std::string png = job.stem() + ".png";
  write_depth_png(depth_folder(stage / "depth", drive) / png,
                  keep_measured(dense, sweep, rig, lidar.max_range));
  write_depth_png(depth_folder(stage / "depth_dense", drive) / png, dense);
}

void write_split(const fs::path& file, const std::vector<Job>& jobs, bool validation) {
  std::string lines;
  for (const Job& job : jobs) {
    if (job.drive->validation != validation) continue;
    lines += fmt::format("{}/{} {} l\n", kDate, job.drive->name(), job.stem());
  }
  write_file_atomically(file, lines);
}

std::string describe(const SyntheticKittiOptions& options) {
  const nlohmann::ordered_json description{{"layout", "kitti"},
                                           {"frames", options.frames},
                                           {"seed", options.seed},
                                           {"shape", {options.size.height, options.size.width}}};
  return description.dump(2) + "\n";
}

}  // namespace

std::optional<SyntheticKittiSummary> synthesize_kitti(const SyntheticKittiOptions& options) {
  check(options);
  const StopSignal stop;
  SetFolder folder(options.out);
  const fs::path& stage = folder.stage();
  const KittiRig rig(options.size);
  const std::vector<Drive> drives = plan_drives(options.frames);
  const std::vector<Job> jobs = plan_jobs(drives);
  make_folders(stage, drives);
  ProgressLine progress("synthesize", jobs.size());
  std::mutex progress_mutex;
  size_t done = 0;
  parallel_for(jobs.size(), resolve_thread_count(options.threads), [&](size_t i) {
    if (stop.requested()) return;
    render_frame(options, rig, stage, jobs[i]);
    const std::lock_guard lock(progress_mutex);
    progress.update(++done);
  });
  if (stop.requested()) return std::nullopt;
  rig.write_calibration(stage / "raw" / kDate);
  make_writable_folder(stage / "splits");
  write_split(stage / "splits" / "train.txt", jobs, false);
  write_split(stage / "splits" / "val.txt", jobs, true);
  folder.publish(describe(options));
  const auto held_out =
      std::count_if(jobs.begin(), jobs.end(), [](const Job& job) { return job.drive->validation; });
  return SyntheticKittiSummary{static_cast<int>(drives.size()),
                               static_cast<int>(jobs.size() - held_out),
                               static_cast<int>(held_out)};
}

}  // namespace dualdepth::synthetic
