#pragma once

#include <functional>
#include <vector>

#include "dualdepth/data/ray_caster.h"
#include "dualdepth/data/synthetic_camera.h"
#include "dualdepth/data/synthetic_material.h"

namespace dualdepth::synthetic {

// Daylight: a sun, a sky of two colours with clouds, far hills and haze.
struct Lighting {
  Vec3 to_sun{0, 0, 1};         // unit length
  Color sun{2.2F, 2.0F, 1.8F};  // irradiance on a surface that faces it; 0: overcast
  Color zenith{0.25F, 0.42F, 0.75F};
  Color horizon{0.75F, 0.82F, 0.9F};
  float cloud_cover = 0.3F;   // 0..1
  float hill_height = 0.04F;  // highest far hill, rad above the horizon
  double haze_length = 600;   // m in which haze hides 63 % of what is behind it
  uint32_t seed = 0;          // of clouds and hills

  // Radiance from a direction of the sky.
  Color sky(const Vec3& direction) const;

  // Light from sky and ground together that falls on a surface with this normal.
  Color ambient(const Vec3& normal) const;
};

struct Object {
  Shape shape;
  Material material;
};

// What can be seen: solids on a ground, in daylight. A generator makes one for each frame; any
// Camera can look at it and any LiDAR measure it.
class Scene {
 public:
  using GroundSurface = std::function<Surface(const Vec3& point, const Footprint& footprint)>;

  Scene(const std::vector<Object>& objects, Plane ground, GroundSurface ground_surface,
        const Lighting& lighting);

  // The nearest surface on a ray.
  struct Hit {
    static constexpr uint32_t kGround = 0xffffffffU;
    double distance = 0;
    uint32_t object = kGround;
  };
  std::optional<Hit> nearest(const Ray& ray, double max_distance = kNoHit) const;
  bool blocked(const Ray& ray, double max_distance = kNoHit) const;

  // The point of a hit and what it is made of.
  SurfacePoint point_at(const Ray& ray, const Hit& hit) const;
  Surface surface_at(const Hit& hit, const SurfacePoint& point, const Footprint& footprint) const;

  const Lighting& lighting() const { return lighting_; }

 private:
  RayCaster caster_;
  std::vector<Material> materials_;
  Plane ground_;
  GroundSurface ground_surface_;
  Lighting lighting_;
};

}  // namespace dualdepth::synthetic
