#pragma once

#include <functional>
#include <opencv2/core.hpp>
#include <optional>

#include "dualdepth/data/synthetic_shape.h"
#include "dualdepth/io/kitti_calibration.h"
#include "dualdepth/io/vadas_camera.h"

namespace dualdepth::synthetic {

// Where a device sits and how it is turned. Its own axes are x forward, y left, z up, as in the
// world, whatever the device: camera or LiDAR.
struct Pose {
  Vec3 position;
  cv::Matx33d rotation = cv::Matx33d::eye();  // device axes -> world axes

  // Turns first about the forward axis (roll), then about left (pitch, nose down is positive), then
  // about up (yaw, to the left is positive); rad.
  static Pose from_angles(const Vec3& position, double yaw, double pitch, double roll);

  Vec3 direction_to_world(const Vec3& v) const { return rotation * v; }
  Vec3 to_world(const Vec3& point) const { return position + rotation * point; }
  Vec3 to_device(const Vec3& point) const { return rotation.t() * (point - position); }
  Vec3 forward() const { return {rotation(0, 0), rotation(1, 0), rotation(2, 0)}; }

  // The pose of a device that is mounted at `inner` in this device's axes.
  Pose operator*(const Pose& inner) const;
};

// A camera is a function from pixel to ray, so that any lens can look at a scene. The depth of a
// point is its coordinate along the camera's forward axis.
struct Camera {
  cv::Size size;
  Pose pose;

  // Pixel (u, v), centres at whole numbers, to a unit vector in the camera's axes; nothing where
  // the lens sees nothing.
  std::function<std::optional<Vec3>(double u, double v)> direction;

  // The inverse: where a point in the camera's axes appears; nothing where it is not seen.
  std::function<std::optional<cv::Point2d>(const Vec3& point)> project;

  // Angle between neighbouring pixels at the centre of the picture, rad.
  double pixel_angle = 1e-3;

  std::optional<Ray> ray(double u, double v) const;

  // Depth of the point at `distance` along a ray of this camera.
  double depth_along(const Ray& ray, double distance) const {
    return distance * ray.direction.dot(pose.forward());
  }
};

Camera pinhole_camera(const Intrinsics& intrinsics, cv::Size size, const Pose& pose);
Camera fisheye_camera(const VadasCamera& lens, cv::Size size, const Pose& pose);

}  // namespace dualdepth::synthetic
