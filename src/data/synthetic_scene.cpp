#include "dualdepth/data/synthetic_scene.h"

#include <algorithm>

namespace dualdepth::synthetic {
namespace {

std::vector<Shape> shapes_of(const std::vector<Object>& objects) {
  std::vector<Shape> shapes;
  shapes.reserve(objects.size());
  for (const Object& object : objects) shapes.push_back(object.shape);
  return shapes;
}

const Color kHills(0.18F, 0.24F, 0.26F);
const Color kCloud(0.95F, 0.95F, 0.97F);
const Color kGroundBounce(0.28F, 0.26F, 0.23F);

}  // namespace

Color Lighting::sky(const Vec3& direction) const {
  const double up = std::max(direction.z, 0.0);
  if (direction.z < hill_height) {
    const Vec3 around{direction.x * 6, direction.y * 6, 0};
    const double top = hill_height * noise(around, 2.0, 0.05, seed + 1);
    if (direction.z < top) return mix(kHills, horizon, 0.55F);
  }
  Color color = mix(horizon, zenith, static_cast<float>(1 - std::exp(-3.5 * up)));
  if (cloud_cover > 0) {
    const Vec3 layer{direction.x / (up + 0.12), direction.y / (up + 0.12), 0};
    const float density = noise(layer, 2.5, 0.05, seed + 2) - 0.9F + 0.8F * cloud_cover;
    color = mix(color, kCloud, std::clamp(4 * density, 0.0F, 0.9F));
  }
  const double glow = std::max(0.0, direction.dot(to_sun));
  return color + sun * static_cast<float>(0.15 * std::pow(glow, 40));
}

Color Lighting::ambient(const Vec3& normal) const {
  const auto sky_share = static_cast<float>(0.5 + 0.5 * normal.z);
  const Color above = mix(mix(zenith, horizon, 0.5F), kCloud, 0.6F * cloud_cover);
  return mix(kGroundBounce, above, sky_share) * 0.5F;
}

Scene::Scene(const std::vector<Object>& objects, Plane ground, GroundSurface ground_surface,
             const Lighting& lighting)
    : caster_(shapes_of(objects)),
      ground_(ground),
      ground_surface_(std::move(ground_surface)),
      lighting_(lighting) {
  materials_.reserve(objects.size());
  for (const Object& object : objects) materials_.push_back(object.material);
}

std::optional<Scene::Hit> Scene::nearest(const Ray& ray, double max_distance) const {
  const double to_ground = intersect(ground_, ray);
  if (const auto hit = caster_.nearest(ray, std::min(to_ground, max_distance))) {
    return Hit{hit->distance, hit->shape};
  }
  if (to_ground < max_distance) return Hit{to_ground, Hit::kGround};
  return std::nullopt;
}

bool Scene::blocked(const Ray& ray, double max_distance) const {
  return caster_.blocked(ray, max_distance);
}

SurfacePoint Scene::point_at(const Ray& ray, const Hit& hit) const {
  const Vec3 point = ray.at(hit.distance);
  if (hit.object == Hit::kGround) return {point, ground_.normal, Face::kTop};
  return synthetic::surface_at(caster_.shape(hit.object), point);
}

Surface Scene::surface_at(const Hit& hit, const SurfacePoint& point,
                          const Footprint& footprint) const {
  if (hit.object == Hit::kGround) return ground_surface_(point.local, footprint);
  return surface_of(materials_[hit.object], point, footprint);
}

}  // namespace dualdepth::synthetic
