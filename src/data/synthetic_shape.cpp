#include "dualdepth/data/synthetic_shape.h"

#include <algorithm>
#include <array>

#include "dualdepth/data/synthetic_texture.h"

namespace dualdepth::synthetic {
namespace {

// The half space normal . p <= limit, in a box's local axes.
struct HalfSpace {
  Vec3 normal;
  double limit;
};

// In the order of Face. The normals of leaning sides are not of unit length: only signs and ratios
// are used.
std::array<HalfSpace, 6> half_spaces(const Box& box) {
  const Lean& lean = box.lean;
  return {HalfSpace{{1, 0, lean.front}, box.size.x / 2},
          HalfSpace{{-1, 0, lean.rear}, box.size.x / 2},
          HalfSpace{{0, 1, lean.side}, box.size.y / 2},
          HalfSpace{{0, -1, lean.side}, box.size.y / 2},
          HalfSpace{{0, 0, 1}, box.size.z},
          HalfSpace{{0, 0, -1}, 0}};
}

// The stretch of a ray that lies inside all half spaces given to clip().
struct Stretch {
  double enter = -kNoHit;
  double exit = kNoHit;

  // Keeps what satisfies offset + slope * t <= limit.
  void clip(double offset, double slope, double limit) {
    const double room = limit - offset;
    if (slope > 0) {
      exit = std::min(exit, room / slope);
    } else if (slope < 0) {
      enter = std::max(enter, room / slope);
    } else if (room < 0) {
      exit = -kNoHit;
    }
  }

  double entry() const { return enter <= exit && enter > 0 ? enter : kNoHit; }
};

Bounds bounds_around(const Vec3& center, const Vec3& half) {
  return {center - half, center + half};
}

Bounds shape_bounds(const Box& box) {
  const double c = std::abs(box.heading.cos);
  const double s = std::abs(box.heading.sin);
  const Vec3 half{(c * box.size.x + s * box.size.y) / 2, (s * box.size.x + c * box.size.y) / 2,
                  box.size.z / 2};
  return bounds_around(box.base + Vec3{0, 0, box.size.z / 2}, half);
}

Bounds shape_bounds(const Cylinder& cylinder) {
  const auto radius_along = [&](double axis) {
    return cylinder.radius * std::sqrt(std::max(0.0, 1 - axis * axis));
  };
  const Vec3 half_axis = cylinder.axis * (cylinder.length / 2);
  const Vec3 half{std::abs(half_axis.x) + radius_along(cylinder.axis.x),
                  std::abs(half_axis.y) + radius_along(cylinder.axis.y),
                  std::abs(half_axis.z) + radius_along(cylinder.axis.z)};
  return bounds_around(cylinder.base + half_axis, half);
}

Bounds shape_bounds(const Ellipsoid& ellipsoid) {
  const Heading& h = ellipsoid.heading;
  const Vec3& r = ellipsoid.radii;
  const Vec3 half{std::hypot(h.cos * r.x, h.sin * r.y), std::hypot(h.sin * r.x, h.cos * r.y), r.z};
  return bounds_around(ellipsoid.center, half);
}

SurfacePoint shape_surface(const Box& box, const Vec3& point) {
  const Vec3 local = box.heading.to_local(point - box.base);
  const auto sides = half_spaces(box);
  size_t nearest = 0;
  double smallest_room = kNoHit;
  for (size_t i = 0; i < sides.size(); ++i) {
    const double room = sides[i].limit - sides[i].normal.dot(local);
    if (room < smallest_room) {
      smallest_room = room;
      nearest = i;
    }
  }
  return {local, box.heading.to_world(normalized(sides[nearest].normal)),
          static_cast<Face>(nearest), box.size};
}

SurfacePoint shape_surface(const Cylinder& cylinder, const Vec3& point) {
  const Vec3 from_base = point - cylinder.base;
  const double along = from_base.dot(cylinder.axis);
  const Vec3 outward = from_base - cylinder.axis * along;
  const double to_side = std::abs(cylinder.radius - std::sqrt(outward.dot(outward)));
  const double to_top = std::abs(cylinder.length - along);
  const double to_bottom = std::abs(along);
  const Vec3 size{2 * cylinder.radius, 2 * cylinder.radius, cylinder.length};
  if (to_side <= to_top && to_side <= to_bottom) {
    return {from_base, normalized(outward), Face::kRound, size};
  }
  if (to_top < to_bottom) return {from_base, cylinder.axis, Face::kTop, size};
  return {from_base, cylinder.axis * -1.0, Face::kBottom, size};
}

SurfacePoint shape_surface(const Ellipsoid& ellipsoid, const Vec3& point) {
  const Vec3& r = ellipsoid.radii;
  const Vec3 local = ellipsoid.heading.to_local(point - ellipsoid.center);
  const Vec3 gradient{local.x / (r.x * r.x), local.y / (r.y * r.y), local.z / (r.z * r.z)};
  return {local, ellipsoid.heading.to_world(normalized(gradient)), Face::kRound, r * 2};
}

}  // namespace

double intersect(const Box& box, const Ray& ray) {
  const Vec3 origin = box.heading.to_local(ray.origin - box.base);
  const Vec3 direction = box.heading.to_local(ray.direction);
  Stretch inside;
  for (const HalfSpace& side : half_spaces(box)) {
    inside.clip(side.normal.dot(origin), side.normal.dot(direction), side.limit);
  }
  return inside.entry();
}

double intersect(const Cylinder& cylinder, const Ray& ray) {
  const Vec3 origin = ray.origin - cylinder.base;
  const double origin_along = origin.dot(cylinder.axis);
  const double direction_along = ray.direction.dot(cylinder.axis);
  const Vec3 across = origin - cylinder.axis * origin_along;
  const Vec3 direction_across = ray.direction - cylinder.axis * direction_along;
  Stretch inside;
  inside.clip(origin_along, direction_along, cylinder.length);
  inside.clip(-origin_along, -direction_along, 0);
  // |across + t direction_across|^2 = radius^2
  const double a = direction_across.dot(direction_across);
  const double half_b = across.dot(direction_across);
  const double c = across.dot(across) - cylinder.radius * cylinder.radius;
  if (a < 1e-18) return c <= 0 ? inside.entry() : kNoHit;
  const double discriminant = half_b * half_b - a * c;
  if (discriminant < 0) return kNoHit;
  const double root = std::sqrt(discriminant);
  inside.enter = std::max(inside.enter, (-half_b - root) / a);
  inside.exit = std::min(inside.exit, (-half_b + root) / a);
  return inside.entry();
}

double intersect(const Ellipsoid& ellipsoid, const Ray& ray) {
  const Vec3& r = ellipsoid.radii;
  const auto to_unit_sphere = [&](const Vec3& v) {
    const Vec3 local = ellipsoid.heading.to_local(v);
    return Vec3{local.x / r.x, local.y / r.y, local.z / r.z};
  };
  const Vec3 origin = to_unit_sphere(ray.origin - ellipsoid.center);
  const Vec3 direction = to_unit_sphere(ray.direction);
  const double a = direction.dot(direction);
  const double middle = -origin.dot(direction) / a;
  // The ray's nearest approach to the centre, in place of b^2 - ac: no cancellation far away.
  const Vec3 nearest = origin + direction * middle;
  const double inside = 1 - nearest.dot(nearest);
  if (inside < 0) return kNoHit;
  const double half_chord = std::sqrt(inside / a);
  const auto is_there = [&](double distance) {
    if (distance <= 0) return false;
    if (ellipsoid.openness == 0) return true;
    const Vec3 on_sphere = origin + direction * distance;
    const Vec3 local{on_sphere.x * r.x, on_sphere.y * r.y, on_sphere.z * r.z};
    const Vec3 scaled = local * (1 / ellipsoid.hole_size);
    const float ragged = 0.65F * value_noise(scaled, 0) + 0.35F * value_noise(scaled * 2.7, 1);
    return ragged > ellipsoid.openness;
  };
  if (is_there(middle - half_chord)) return middle - half_chord;
  const bool has_inside = ellipsoid.openness > 0;
  return has_inside && is_there(middle + half_chord) ? middle + half_chord : kNoHit;
}

double intersect(const Plane& plane, const Ray& ray) {
  const double approach = ray.direction.dot(plane.normal);
  if (approach >= 0) return kNoHit;
  const double distance = (plane.point - ray.origin).dot(plane.normal) / approach;
  return distance > 0 ? distance : kNoHit;
}

double intersect(const Shape& shape, const Ray& ray) {
  return std::visit([&](const auto& solid) { return intersect(solid, ray); }, shape);
}

SurfacePoint surface_at(const Shape& shape, const Vec3& point) {
  return std::visit([&](const auto& solid) { return shape_surface(solid, point); }, shape);
}

Bounds bounds_of(const Shape& shape) {
  return std::visit([](const auto& solid) { return shape_bounds(solid); }, shape);
}

void Bounds::include(const Bounds& other) {
  low = {std::min(low.x, other.low.x), std::min(low.y, other.low.y), std::min(low.z, other.low.z)};
  high = {std::max(high.x, other.high.x), std::max(high.y, other.high.y),
          std::max(high.z, other.high.z)};
}

}  // namespace dualdepth::synthetic
