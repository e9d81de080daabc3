#include "dualdepth/data/ray_caster.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace dualdepth::synthetic {
namespace {

constexpr uint32_t kLeafSize = 2;
constexpr size_t kMaxDepth = 64;  // median splits: 2^32 solids need 32

double Vec3::*longest_axis(const Bounds& bounds) {
  const Vec3 extent = bounds.high - bounds.low;
  if (extent.x >= extent.y && extent.x >= extent.z) return &Vec3::x;
  return extent.y >= extent.z ? &Vec3::y : &Vec3::z;
}

// Where a ray enters a node's bounds, kNoHit when it does not within `limit`. A direction component
// of 0 makes the products infinite, which compares as it should; only a ray that runs exactly in
// the plane of a face may be counted out.
double entry(const Bounds& bounds, const Vec3& origin, const Vec3& inverse, double limit) {
  double enter = 0;
  double exit = limit;
  const auto clip = [&](double low, double high, double o, double inv) {
    const double a = (low - o) * inv;
    const double b = (high - o) * inv;
    enter = std::max(enter, std::min(a, b));
    exit = std::min(exit, std::max(a, b));
  };
  clip(bounds.low.x, bounds.high.x, origin.x, inverse.x);
  clip(bounds.low.y, bounds.high.y, origin.y, inverse.y);
  clip(bounds.low.z, bounds.high.z, origin.z, inverse.z);
  return enter <= exit ? enter : kNoHit;
}

}  // namespace

RayCaster::RayCaster(std::vector<Shape> shapes) : shapes_(std::move(shapes)) {
  std::vector<Bounds> bounds;
  bounds.reserve(shapes_.size());
  for (const Shape& shape : shapes_) bounds.push_back(bounds_of(shape));
  order_.resize(shapes_.size());
  std::iota(order_.begin(), order_.end(), 0U);
  nodes_.reserve(shapes_.size());
  if (!shapes_.empty()) build(0, static_cast<uint32_t>(shapes_.size()), bounds);
}

void RayCaster::build(uint32_t begin, uint32_t end, const std::vector<Bounds>& bounds) {
  const size_t index = nodes_.size();
  nodes_.emplace_back();
  Node node;
  for (uint32_t i = begin; i < end; ++i) node.bounds.include(bounds[order_[i]]);
  if (end - begin <= kLeafSize) {
    node.first = begin;
    node.count = end - begin;
    nodes_[index] = node;
    return;
  }
  const auto axis = longest_axis(node.bounds);
  const uint32_t middle = begin + (end - begin) / 2;
  const auto at = [&](uint32_t position) { return order_.begin() + position; };
  std::nth_element(at(begin), at(middle), at(end), [&](uint32_t a, uint32_t b) {
    return bounds[a].low.*axis + bounds[a].high.*axis < bounds[b].low.*axis + bounds[b].high.*axis;
  });
  build(begin, middle, bounds);
  node.first = static_cast<uint32_t>(nodes_.size());
  build(middle, end, bounds);
  nodes_[index] = node;
}

template <class Visit>
void RayCaster::traverse(const Ray& ray, double& limit, const Visit& visit) const {
  if (nodes_.empty()) return;
  const Vec3 inverse{1 / ray.direction.x, 1 / ray.direction.y, 1 / ray.direction.z};
  struct Pending {
    uint32_t node;
    double entry;
  };
  std::array<Pending, kMaxDepth> stack;
  size_t size = 0;
  stack[size++] = {0, entry(nodes_[0].bounds, ray.origin, inverse, limit)};
  while (size > 0) {
    const Pending pending = stack[--size];
    if (pending.entry >= limit) continue;
    const Node& node = nodes_[pending.node];
    if (node.count > 0) {
      for (uint32_t i = 0; i < node.count; ++i) {
        if (visit(order_[node.first + i])) return;
      }
      continue;
    }
    Pending near{pending.node + 1, 0};
    Pending far{node.first, 0};
    near.entry = entry(nodes_[near.node].bounds, ray.origin, inverse, limit);
    far.entry = entry(nodes_[far.node].bounds, ray.origin, inverse, limit);
    if (far.entry < near.entry) std::swap(near, far);
    if (far.entry < limit) stack[size++] = far;
    if (near.entry < limit) stack[size++] = near;
  }
}

std::optional<RayHit> RayCaster::nearest(const Ray& ray, double max_distance) const {
  RayHit hit{max_distance, 0};
  bool found = false;
  traverse(ray, hit.distance, [&](uint32_t index) {
    const double distance = intersect(shapes_[index], ray);
    if (distance < hit.distance) {
      hit = {distance, index};
      found = true;
    }
    return false;
  });
  if (!found) return std::nullopt;
  return hit;
}

bool RayCaster::blocked(const Ray& ray, double max_distance) const {
  bool found = false;
  traverse(ray, max_distance, [&](uint32_t index) {
    found = intersect(shapes_[index], ray) < max_distance;
    return found;
  });
  return found;
}

}  // namespace dualdepth::synthetic
