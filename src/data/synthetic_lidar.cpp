#include "dualdepth/data/synthetic_lidar.h"

#include <algorithm>
#include <numbers>

#include "dualdepth/base/random.h"

namespace dualdepth::synthetic {
namespace {

constexpr double kRadians = std::numbers::pi / 180;
constexpr double kGlassLoss = 0.85;
constexpr float kGlassGloss = 0.1F;

// A beam is some 3 mrad wide.
Footprint beam_footprint(double distance) { return {3e-3 * distance, 3e-3 * distance}; }

}  // namespace

std::vector<cv::Vec4f> scan(const Scene& scene, const Pose& pose, const Lidar& lidar) {
  std::vector<cv::Vec4f> points;
  RandomStream random({lidar.seed});
  const int steps = static_cast<int>(2 * lidar.half_view / lidar.azimuth_step);
  for (int beam = 0; beam < lidar.beams; ++beam) {
    const double share = beam / std::max(1.0, lidar.beams - 1.0);
    const double elevation = (lidar.highest + (lidar.lowest - lidar.highest) * share) * kRadians;
    // The beams of one fan do not fire at the same time.
    const double first = lidar.half_view - random.uniform() * lidar.azimuth_step;
    for (int step = 0; step < steps; ++step) {
      const double azimuth = (first - step * lidar.azimuth_step) * kRadians;
      const Vec3 direction{std::cos(elevation) * std::cos(azimuth),
                           std::cos(elevation) * std::sin(azimuth), std::sin(elevation)};
      const double luck = random.uniform();
      if (luck < lidar.loss) continue;
      const Ray ray{pose.position, pose.direction_to_world(direction)};
      const auto hit = scene.nearest(ray, lidar.max_range);
      if (!hit) continue;
      const SurfacePoint point = scene.point_at(ray, *hit);
      const Surface surface = scene.surface_at(*hit, point, beam_footprint(hit->distance));
      if (surface.gloss > kGlassGloss && luck < kGlassLoss) continue;
      const double facing = std::abs(ray.direction.dot(point.normal));
      const Vec3 at = direction * hit->distance;
      points.emplace_back(static_cast<float>(at.x), static_cast<float>(at.y),
                          static_cast<float>(at.z),
                          std::clamp(surface.albedo[0] * static_cast<float>(facing), 0.0F, 1.0F));
    }
  }
  return points;
}

cv::Mat1f keep_measured(const cv::Mat1f& dense, const std::vector<cv::Vec4f>& sweep,
                        const Pose& lidar, const Camera& camera, double max_range) {
  cv::Mat1f sparse(dense.size(), 0.0F);
  for (const cv::Vec4f& point : sweep) {
    const auto at = camera.project(lidar.to_world({point[0], point[1], point[2]}));
    if (!at) continue;
    const cv::Point pixel(cvRound(at->x), cvRound(at->y));
    if (!cv::Rect({}, dense.size()).contains(pixel)) continue;
    if (dense(pixel) <= max_range) sparse(pixel) = dense(pixel);
  }
  return sparse;
}

}  // namespace dualdepth::synthetic
