#include "dualdepth/io/kitti_calibration.h"

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

constexpr uintmax_t kMaxFileBytes = 1 << 20;
constexpr std::string_view kBlank = " \t\r";

// A KITTI calibration file: lines of "key: number number ...", between dates and other text.
class CalibrationFile {
 public:
  explicit CalibrationFile(const fs::path& file)
      : file_(file), text_(read_file(file, kMaxFileBytes)) {}

  // The numbers of `key`. Throws Error unless there are `count` of them.
  std::vector<double> numbers(const std::string& key, size_t count) const {
    const std::string expected = std::to_string(count) + " numbers";
    const std::string_view line = line_of(key);
    if (line.data() == nullptr) fail(key, expected, "no such line");
    std::vector<double> values;
    std::string_view rest = line;
    while (true) {
      rest.remove_prefix(std::min(rest.find_first_not_of(kBlank), rest.size()));
      if (rest.empty()) break;
      double value = 0;
      const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
      const auto length = static_cast<size_t>(end - rest.data());
      const bool ends =
          length == rest.size() || kBlank.find(rest[length]) != std::string_view::npos;
      if (code != std::errc() || !ends || !std::isfinite(value)) {
        fail(key, expected, "\"" + std::string(rest.substr(0, rest.find(' '))) + "\"");
      }
      values.push_back(value);
      rest.remove_prefix(length);
    }
    if (values.size() != count) fail(key, expected, std::to_string(values.size()));
    return values;
  }

  [[noreturn]] void fail(const std::string& key, std::string expected, std::string got) const {
    throw Error({.subject = file_.string() + ": " + key,
                 .expected = std::move(expected),
                 .got = std::move(got),
                 .fix = "take the calibration that KITTI gives for this date"});
  }

 private:
  // What follows "key:" on its line; a null view when there is no such line.
  std::string_view line_of(const std::string& key) const {
    std::string_view rest = text_;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, end);
      if (line.starts_with(key + ":")) return line.substr(key.size() + 1);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return {};
  }

  const fs::path file_;
  const std::string text_;
};

std::string camera_key(const char* name, int camera) {
  return std::string(name) + "_0" + std::to_string(camera);
}

cv::Matx34d read_projection(const CalibrationFile& calibration, int camera) {
  const std::string key = camera_key("P_rect", camera);
  const cv::Matx34d projection(calibration.numbers(key, 12).data());
  if (projection(0, 0) <= 0 || projection(1, 1) <= 0) {
    calibration.fail(key, "focal lengths above 0",
                     std::to_string(projection(0, 0)) + " and " + std::to_string(projection(1, 1)));
  }
  return projection;
}

cv::Size read_size(const CalibrationFile& calibration, int camera) {
  const std::string key = camera_key("S_rect", camera);
  const std::vector<double> size = calibration.numbers(key, 2);
  constexpr double kMaxSide = 1 << 20;
  for (const double side : size) {
    if (side < 1 || side > kMaxSide) {
      calibration.fail(key, "a width and a height in pixels", std::to_string(side));
    }
  }
  return {static_cast<int>(size[0]), static_cast<int>(size[1])};
}

Intrinsics intrinsics_of(const cv::Matx34d& projection) {
  return {.fx = projection(0, 0),
          .fy = projection(1, 1),
          .cx = projection(0, 2),
          .cy = projection(1, 2)};
}

// [rotation translation; 0 0 0 1]
cv::Matx44d rigid_motion(const std::vector<double>& rotation,
                         const std::vector<double>& translation) {
  const cv::Matx33d turn(rotation.data());
  cv::Matx44d motion = cv::Matx44d::eye();
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 3; ++column) motion(row, column) = turn(row, column);
    motion(row, 3) = translation[static_cast<size_t>(row)];
  }
  return motion;
}

}  // namespace

Intrinsics Intrinsics::scaled(double scale_x, double scale_y) const {
  return {.fx = fx * scale_x,
          .fy = fy * scale_y,
          .cx = (cx + 0.5) * scale_x - 0.5,
          .cy = (cy + 0.5) * scale_y - 0.5};
}

Intrinsics KittiCamera::intrinsics() const { return intrinsics_of(projection); }

KittiCamera read_kitti_camera(const fs::path& date_folder, int camera) {
  const CalibrationFile cameras(date_folder / "calib_cam_to_cam.txt");
  const CalibrationFile velodyne(date_folder / "calib_velo_to_cam.txt");
  const cv::Matx44d rectify = rigid_motion(cameras.numbers("R_rect_00", 9), {0, 0, 0});
  const cv::Matx44d velodyne_to_camera =
      rigid_motion(velodyne.numbers("R", 9), velodyne.numbers("T", 3));
  return {.projection = read_projection(cameras, camera),
          .velodyne_to_rect = rectify * velodyne_to_camera,
          .size = read_size(cameras, camera)};
}

Intrinsics read_kitti_intrinsics(const fs::path& calib_cam_to_cam, int camera) {
  return intrinsics_of(read_projection(CalibrationFile(calib_cam_to_cam), camera));
}

}  // namespace dualdepth
