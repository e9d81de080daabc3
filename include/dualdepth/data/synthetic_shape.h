#pragma once

#include <cmath>
#include <limits>
#include <opencv2/core/types.hpp>
#include <variant>

// The solids that synthetic scenes are made of, each with its exact intersection with a ray.
namespace dualdepth::synthetic {

// A point or direction in metres; world axes are x forward, y left, z up.
using Vec3 = cv::Point3d;

inline Vec3 normalized(const Vec3& v) { return v * (1.0 / std::sqrt(v.dot(v))); }

struct Ray {
  Vec3 origin;
  Vec3 direction;  // unit length, so that distances along it are metres

  Vec3 at(double distance) const { return origin + direction * distance; }
};

inline constexpr double kNoHit = std::numeric_limits<double>::infinity();

// A turn about the vertical axis, counter-clockwise seen from above.
struct Heading {
  double cos = 1;
  double sin = 0;

  Heading() = default;
  explicit Heading(double yaw) : cos(std::cos(yaw)), sin(std::sin(yaw)) {}
  // Of a line y = slope * x.
  static Heading of_slope(double slope) {
    Heading heading;
    heading.cos = 1 / std::sqrt(1 + slope * slope);
    heading.sin = slope * heading.cos;
    return heading;
  }

  Vec3 to_world(const Vec3& v) const { return {cos * v.x - sin * v.y, sin * v.x + cos * v.y, v.z}; }
  Vec3 to_local(const Vec3& v) const { return {cos * v.x + sin * v.y, cos * v.y - sin * v.x, v.z}; }
};

// Inwards lean of a box's sides, in metres per metre of height; 0: upright.
struct Lean {
  double front = 0;
  double rear = 0;
  double side = 0;
};

// A box standing on a horizontal base. With leaning sides it is a gabled roof (side lean of
// width / 2 / height), a hipped one, or a car's cabin.
struct Box {
  Vec3 base{};  // centre of the base
  Vec3 size;    // length along local x, width along local y (both at the base), height
  Heading heading{};
  Lean lean{};
};

// A round bar with flat ends: pole, trunk, wheel.
struct Cylinder {
  Vec3 base;  // centre of one end
  Vec3 axis;  // unit vector from that end to the other
  double length = 1;
  double radius = 1;
};

// Solid, or a shell with holes of about `hole_size` metres in `openness` of its surface: a clump of
// leaves, through which a ray may pass or meet the far side. The holes belong to the surface, so
// all rays agree where they are.
struct Ellipsoid {
  Vec3 center;
  Vec3 radii;  // along local x, y and z
  Heading heading{};
  float openness = 0;  // 0..1
  float hole_size = 0.3F;
};

using Shape = std::variant<Box, Cylinder, Ellipsoid>;

// An endless plane, seen only from the side its normal points to. Not a Shape because it has no
// bounds: a scene has one, its ground.
struct Plane {
  Vec3 point;
  Vec3 normal{0, 0, 1};  // unit length
};

// Distance along the ray to where it enters the solid; kNoHit when it misses, when the solid lies
// behind, and when the ray starts inside. So a ray that leaves a surface never hits it again. Of a
// shell with holes the inside is met as well.
double intersect(const Box& box, const Ray& ray);
double intersect(const Cylinder& cylinder, const Ray& ray);
double intersect(const Ellipsoid& ellipsoid, const Ray& ray);
double intersect(const Plane& plane, const Ray& ray);
double intersect(const Shape& shape, const Ray& ray);

enum class Face { kFront, kRear, kLeft, kRight, kTop, kBottom, kRound };

// What shading needs to know of a point on a solid.
struct SurfacePoint {
  Vec3 local;   // in the solid's own axes, from its base (its centre for an ellipsoid)
  Vec3 normal;  // world axes, unit length, outwards
  Face face = Face::kTop;
  Vec3 size{};  // of the solid along its own axes
};

// `point` lies on the surface, up to rounding.
SurfacePoint surface_at(const Shape& shape, const Vec3& point);

// The smallest axis-parallel box around something.
struct Bounds {
  Vec3 low{kNoHit, kNoHit, kNoHit};
  Vec3 high{-kNoHit, -kNoHit, -kNoHit};

  void include(const Bounds& other);
};

Bounds bounds_of(const Shape& shape);

}  // namespace dualdepth::synthetic
