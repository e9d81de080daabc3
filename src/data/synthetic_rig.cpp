#include "dualdepth/data/synthetic_rig.h"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <span>
#include <string>

#include "dualdepth/base/atomic_file.h"

namespace dualdepth::synthetic {
namespace {

// Offsets of the four cameras from camera 0, to the left, metres: grey and colour pair.
constexpr std::array<double, 4> kCameraOffsets{0.0, -0.54, 0.06, -0.47};
constexpr double kCameraAdvance = 0.003;  // camera 2 sits this far behind camera 0's plane, metres

// Camera axes (x right, y down, z forward) -> device axes (x forward, y left, z up).
const cv::Matx33d kCameraToDevice(0, 0, 1, -1, 0, 0, 0, -1, 0);

cv::Matx34d projection_of(cv::Size size, double offset) {
  const double focal = 0.581 * size.width;
  const double cx = 0.491 * size.width - 0.5;
  const double cy = 0.46 * size.height - 0.5;
  const double advance = offset == 0 ? 0 : kCameraAdvance;
  return {focal, 0, cx,     focal * offset + cx * advance, 0, focal, cy, cy * advance, 0,
          0,     1, advance};
}

class CalibrationText {
 public:
  template <int rows, int columns>
  void add(std::string_view key, const cv::Matx<double, rows, columns>& values) {
    add(key, std::span<const double>(values.val, rows * columns));
  }

  void add(std::string_view key, std::span<const double> values) {
    text_ += fmt::format("{}:", key);
    for (const double value : values) text_ += fmt::format(" {:.12e}", value);
    text_ += '\n';
  }

  void add_size(std::string_view key, cv::Size size) {
    add(key,
        std::array<double, 2>{static_cast<double>(size.width), static_cast<double>(size.height)});
  }

  void write(const std::filesystem::path& file) const { write_file_atomically(file, text_); }

 private:
  std::string text_ = "calib_time: 01-Jan-2026 00:00:00\n";
};

}  // namespace

KittiRig::KittiRig(cv::Size size)
    : size(size),
      projection(projection_of(size, kCameraOffsets[2])),
      // Small turns, so that a reader that leaves one of them out is found out.
      rectification(Pose::from_angles({}, 0.004, -0.007, 0.01).rotation),
      rotation(kCameraToDevice.t() * Pose::from_angles({}, -0.008, 0.004, 0.006).rotation),
      translation(-0.004, -0.076, -0.272) {}

Intrinsics KittiRig::intrinsics() const {
  return {projection(0, 0), projection(1, 1), projection(0, 2), projection(1, 2)};
}

Pose KittiRig::lidar_in_camera() const {
  const Intrinsics k = intrinsics();
  const double advance = projection(2, 3);
  const cv::Vec3d shift((projection(0, 3) - k.cx * advance) / k.fx,
                        (projection(1, 3) - k.cy * advance) / k.fy, advance);
  const cv::Vec3d position = kCameraToDevice * (rectification * translation + shift);
  return {Vec3(position), kCameraToDevice * rectification * rotation};
}

void KittiRig::write_calibration(const std::filesystem::path& date_folder) const {
  CalibrationText cameras;
  cameras.add("corner_dist", std::array{0.0995});
  for (size_t i = 0; i < kCameraOffsets.size(); ++i) {
    const cv::Matx34d p = projection_of(size, kCameraOffsets[i]);
    const auto key = [&](std::string_view name) { return fmt::format("{}_{:02}", name, i); };
    cameras.add_size(key("S"), size);
    cameras.add(key("K"), p.get_minor<3, 3>(0, 0));
    cameras.add(key("D"), cv::Matx<double, 1, 5>::zeros());
    cameras.add(key("R"), cv::Matx33d::eye());
    cameras.add(key("T"), cv::Vec3d(kCameraOffsets[i], 0, p(2, 3)));
    cameras.add_size(key("S_rect"), size);
    cameras.add(key("R_rect"), rectification);
    cameras.add(key("P_rect"), p);
  }
  cameras.write(date_folder / "calib_cam_to_cam.txt");

  CalibrationText lidar;
  lidar.add("R", rotation);
  lidar.add("T", translation);
  lidar.add("delta_f", cv::Vec2d(0, 0));
  lidar.add("delta_c", cv::Vec2d(0, 0));
  lidar.write(date_folder / "calib_velo_to_cam.txt");

  CalibrationText imu;
  imu.add("R", cv::Matx33d::eye());
  imu.add("T", cv::Vec3d(-0.81, 0.32, -0.8));
  imu.write(date_folder / "calib_imu_to_velo.txt");
}

}  // namespace dualdepth::synthetic
