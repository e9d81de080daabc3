#include "dualdepth/data/synthetic_camera.h"

namespace dualdepth::synthetic {

Pose Pose::from_angles(const Vec3& position, double yaw, double pitch, double roll) {
  const double cy = std::cos(yaw), sy = std::sin(yaw);
  const double cp = std::cos(pitch), sp = std::sin(pitch);
  const double cr = std::cos(roll), sr = std::sin(roll);
  const cv::Matx33d about_up(cy, -sy, 0, sy, cy, 0, 0, 0, 1);
  const cv::Matx33d about_left(cp, 0, sp, 0, 1, 0, -sp, 0, cp);
  const cv::Matx33d about_forward(1, 0, 0, 0, cr, -sr, 0, sr, cr);
  return {position, about_up * about_left * about_forward};
}

Pose Pose::operator*(const Pose& inner) const {
  return {to_world(inner.position), rotation * inner.rotation};
}

std::optional<Ray> Camera::ray(double u, double v) const {
  const std::optional<Vec3> in_camera = direction(u, v);
  if (!in_camera) return std::nullopt;
  return Ray{pose.position, pose.direction_to_world(*in_camera)};
}

Camera pinhole_camera(const Intrinsics& intrinsics, cv::Size size, const Pose& pose) {
  const auto direction = [k = intrinsics](double u, double v) -> std::optional<Vec3> {
    return normalized({1, (k.cx - u) / k.fx, (k.cy - v) / k.fy});
  };
  const auto project = [k = intrinsics](const Vec3& p) -> std::optional<cv::Point2d> {
    if (p.x <= 0) return std::nullopt;
    return cv::Point2d(k.cx - k.fx * p.y / p.x, k.cy - k.fy * p.z / p.x);
  };
  return {size, pose, direction, project, 1 / intrinsics.fx};
}

Camera fisheye_camera(const VadasCamera& lens, cv::Size size, const Pose& pose) {
  const auto direction = [lens, size](double u, double v) { return lens.direction(u, v, size); };
  const auto project = [lens, size](const Vec3& p) { return lens.project(p, size); };
  constexpr double kStep = 1e-3;  // rad
  const double pixels =
      (lens.radius(kStep) - lens.radius(0)) / kStep * size.width / VadasCamera::kWidth;
  return {size, pose, direction, project, 1 / pixels};
}

}  // namespace dualdepth::synthetic
