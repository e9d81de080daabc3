#include "dualdepth/data/synthetic_ncdb.h"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/staged_folder.h"
#include "dualdepth/data/synthetic_lidar.h"
#include "dualdepth/data/synthetic_parking.h"
#include "dualdepth/io/image.h"

namespace dualdepth::synthetic {
namespace {

namespace fs = std::filesystem;

constexpr double kMaxDenseDepth = 255;  // m; a 16-bit PNG ends at 255.996
constexpr int kMinVisiblePixels = 50;
constexpr double kLidarAbove = 0.3;  // m above the camera
constexpr std::array kDepthFolders{"newest_depth_maps", "newest_original_depth_maps",
                                   "newest_distance_maps", "newest_original_distance_maps"};

std::string name_of(const SequencePlan& sequence) {
  return fmt::format("parking_{:04}", sequence.index + 1);
}

std::string stem_of(int frame) { return fmt::format("{:06}", frame); }

// Where a sequence's folders lie.
fs::path data_folder(const fs::path& root, const SequencePlan& sequence) {
  const fs::path folder = root / name_of(sequence);
  return sequence.index % 2 == 1 ? folder / "synced_data" : folder;
}

// A fan that also looks down, so that near things are measured.
Lidar near_field_lidar(uint64_t seed) {
  return {.beams = 64,
          .highest = 8,
          .lowest = -70,
          .half_view = 95,
          .azimuth_step = 0.4,
          .max_range = 60,
          .loss = 0.06,
          .seed = seed};
}

cv::Mat lens_mask(const VadasCamera& lens, cv::Size size) {
  cv::Mat1b mask(size, uchar{0});
  for (int v = 0; v < size.height; ++v) {
    for (int u = 0; u < size.width; ++u) {
      if (lens.direction(u, v, size)) mask(v, u) = 255;
    }
  }
  return mask;
}

void write_class_masks(const fs::path& folder, const std::string& stem, const cv::Mat& seen,
                       const std::vector<Instance>& instances) {
  std::map<std::string, int> count;
  for (const Instance& instance : instances) {
    cv::Mat mask;
    cv::inRange(seen, static_cast<double>(instance.first),
                static_cast<double>(instance.first + instance.count - 1), mask);
    if (cv::countNonZero(mask) < kMinVisiblePixels) continue;
    const fs::path of_class = folder / instance.name;
    make_writable_folder(of_class);
    write_rgb(of_class / fmt::format("{}_{}.png", stem, count[instance.name]++), mask);
  }
}

// What a depth map can hold; `sparse` keeps what the LiDAR measured.
cv::Mat1f storable(const cv::Mat& metres, const cv::Mat& keep) {
  cv::Mat1f map;
  metres.convertTo(map, CV_32F);
  map.setTo(0, (map > kMaxDenseDepth) | ~keep);
  return map;
}

void render_frame(const SyntheticSetOptions& options, const VadasCamera& lens,
                  const fs::path& stage, const SequencePlan& sequence, int frame) {
  const ParkingDrive drive(options.seed, sequence.index, sequence.frames);
  const Scene scene = drive.scene();
  const Pose pose = drive.camera_pose(frame);
  const Sensor sensor = drive.sensor(frame);
  const Camera camera = fisheye_camera(lens, options.size, pose);
  const Rendering rendering = render(scene, camera, sensor);
  const cv::Mat1f dense = storable(rendering.depth, rendering.depth > 0);
  const Lidar lidar = near_field_lidar(sensor.seed);
  const Pose mount{{0, 0, kLidarAbove}};
  const cv::Mat measured =
      keep_measured(dense, scan(scene, pose * mount, lidar), mount, camera, lidar.max_range) > 0;

  const fs::path data = data_folder(stage, sequence);
  const std::string stem = stem_of(frame);
  write_rgb(data / "image_a6" / (stem + ".jpg"), rendering.rgb);
  const std::string png = stem + ".png";
  const cv::Mat some = rendering.depth > 0;
  write_depth_png(data / kDepthFolders[0] / png, dense);
  write_depth_png(data / kDepthFolders[1] / png, storable(rendering.depth, measured));
  write_depth_png(data / kDepthFolders[2] / png, storable(rendering.distance, some));
  write_depth_png(data / kDepthFolders[3] / png, storable(rendering.distance, measured));
  write_class_masks(data / "segmentation_results" / "class_masks", stem, rendering.objects,
                    drive.instances());
}

void write_split(const fs::path& file, const std::vector<SequencePlan>& sequences,
                 bool validation) {
  auto list = nlohmann::ordered_json::array();
  for (const SequencePlan& sequence : sequences) {
    if (sequence.validation != validation) continue;
    for (int frame = 0; frame < sequence.frames; ++frame) {
      list.push_back({{"dataset_root", name_of(sequence)}, {"new_filename", stem_of(frame)}});
    }
  }
  write_file_atomically(file, list.dump(1) + "\n");
}

}  // namespace

std::optional<SyntheticSetSummary> synthesize_ncdb(const SyntheticSetOptions& options) {
  const std::vector<SequencePlan> sequences = plan_sequences(options);
  const StopSignal stop;  // before the first file, so that a signal leaves none behind
  StagedFolder folder(options.out, "synthetic.json", "synthetic set");
  const fs::path& stage = folder.stage();
  const VadasCamera lens;
  const cv::Mat mask = lens_mask(lens, options.size);
  for (const SequencePlan& sequence : sequences) {
    const fs::path data = data_folder(stage, sequence);
    make_writable_folder(data / "image_a6");
    for (const char* depth : kDepthFolders) make_writable_folder(data / depth);
    write_rgb(data / "binary_mask.png", mask);
  }
  const bool done =
      render_frames(sequences, options, stop, [&](const SequencePlan& sequence, int frame) {
        render_frame(options, lens, stage, sequence, frame);
      });
  if (!done) return std::nullopt;
  write_rgb(stage / "binary_mask.png", mask);
  make_writable_folder(stage / "calibration");
  write_vadas_camera(stage / "calibration" / "vadas.json", lens);
  make_writable_folder(stage / "splits");
  write_split(stage / "splits" / "train.json", sequences, false);
  write_split(stage / "splits" / "val.json", sequences, true);
  folder.publish(describe_set("ncdb", options));
  return summary_of(sequences);
}

}  // namespace dualdepth::synthetic
