#include "dualdepth/io/vadas_camera.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

constexpr double kHalfTurn = std::numbers::pi / 2;
constexpr size_t kParameters = 11;
constexpr uintmax_t kMaxBytes = 1 << 16;

[[noreturn]] void fail(const fs::path& file, std::string expected, std::string got) {
  throw Error({.subject = file.string(),
               .expected = std::move(expected),
               .got = std::move(got),
               .fix = "the list is k_0 to k_6, s, div, u_x, u_y"});
}

std::vector<double> read_numbers(const fs::path& file) {
  constexpr const char* kBetween = " \t\r\n,[]";
  const std::string text = read_file(file, kMaxBytes);
  std::vector<double> numbers;
  for (size_t at = text.find_first_not_of(kBetween);
       at != std::string::npos && numbers.size() < kParameters;
       at = text.find_first_not_of(kBetween, at)) {
    const size_t end = std::min(text.find_first_of(kBetween, at), text.size());
    double value = 0;
    const auto [stop, code] = std::from_chars(text.data() + at, text.data() + end, value);
    if (code != std::errc() || stop != text.data() + end || !std::isfinite(value)) {
      fail(file, "numbers", text.substr(at, std::min<size_t>(end - at, 40)));
    }
    numbers.push_back(value);
    at = end;
  }
  return numbers;
}

// Where a size's pixels lie in the 1920x1536 picture.
cv::Point2d scale_to(cv::Size size) {
  return {static_cast<double>(size.width) / VadasCamera::kWidth,
          static_cast<double>(size.height) / VadasCamera::kHeight};
}

bool grows(const VadasCamera& camera) {
  constexpr int kSteps = 1000;
  for (int i = 0; i < kSteps; ++i) {
    const double theta = kHalfTurn * i / kSteps;
    if (!(camera.radius(theta + kHalfTurn / kSteps) > camera.radius(theta))) return false;
  }
  return true;
}

}  // namespace

double VadasCamera::radius(double theta) const {
  const double x = s * theta;
  double sum = 0;
  for (size_t i = k.size(); i-- > 0;) sum = sum * x + k[i];
  return sum / div;
}

std::optional<cv::Point2d> VadasCamera::project(const cv::Point3d& point, cv::Size size) const {
  if (point.x < 0) return std::nullopt;
  const double off_axis = std::hypot(point.y, point.z);
  const double rho = radius(std::atan2(off_axis, point.x));
  const double share = off_axis > 0 ? rho / off_axis : 0;
  const cv::Point2d scale = scale_to(size);
  return cv::Point2d((-point.y * share + u_x + kWidth / 2.0) * scale.x,
                     (-point.z * share + u_y + kHeight / 2.0) * scale.y);
}

std::optional<cv::Point3d> VadasCamera::direction(double u, double v, cv::Size size) const {
  const cv::Point2d scale = scale_to(size);
  const double du = u / scale.x - u_x - kWidth / 2.0;
  const double dv = v / scale.y - u_y - kHeight / 2.0;
  const double rho = std::hypot(du, dv);
  if (rho > radius(kHalfTurn)) return std::nullopt;
  constexpr double kPrecision = 1e-12;
  double low = 0, high = kHalfTurn;
  while (high - low > kPrecision) {
    const double middle = (low + high) / 2;
    (radius(middle) < rho ? low : high) = middle;
  }
  const double theta = (low + high) / 2;
  const double share = rho > 0 ? std::sin(theta) / rho : 0;
  return cv::Point3d(std::cos(theta), -du * share, -dv * share);
}

VadasCamera read_vadas_camera(const fs::path& file) {
  const std::vector<double> numbers = read_numbers(file);
  if (numbers.size() < kParameters) {
    fail(file, fmt::format("{} numbers", kParameters), std::to_string(numbers.size()));
  }
  VadasCamera camera;
  std::copy_n(numbers.begin(), camera.k.size(), camera.k.begin());
  camera.s = numbers[7];
  camera.div = numbers[8];
  camera.u_x = numbers[9];
  camera.u_y = numbers[10];
  if (!(camera.s > 0 && camera.div > 0)) {
    fail(file, "s and div above 0", fmt::format("{} and {}", camera.s, camera.div));
  }
  if (!grows(camera)) {
    fail(file, "a radius that grows from 0 to 90 degrees", fmt::format("{}", camera.k));
  }
  return camera;
}

void write_vadas_camera(const fs::path& file, const VadasCamera& camera) {
  write_file_atomically(file, fmt::format("[{}, {}, {}, {}, {}]\n", fmt::join(camera.k, ", "),
                                          camera.s, camera.div, camera.u_x, camera.u_y));
}

}  // namespace dualdepth
