#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dualdepth/data/synthetic_shape.h"

namespace dualdepth::synthetic {

// Which solid a ray meets first, and how far away.
struct RayHit {
  double distance = kNoHit;  // m
  uint32_t shape = 0;        // index in the list given to RayCaster
};

// Finds the nearest of many solids along a ray: a bounding volume hierarchy, split at the median of
// the longest axis. Building takes about 0.2 us a solid and level, a query some 0.2 us in a street
// of 1,000 solids. Queries may run on several threads at once.
class RayCaster {
 public:
  explicit RayCaster(std::vector<Shape> shapes);

  const Shape& shape(uint32_t index) const { return shapes_[index]; }

  // The nearest solid within `max_distance`.
  std::optional<RayHit> nearest(const Ray& ray, double max_distance = kNoHit) const;

  // Whether any solid lies within `max_distance`; cheaper than nearest().
  bool blocked(const Ray& ray, double max_distance = kNoHit) const;

 private:
  // A leaf holds `count` solids from `first` on in order_. An inner node has count 0; its children
  // are the node after it and `first`.
  struct Node {
    Bounds bounds;
    uint32_t first = 0;
    uint32_t count = 0;
  };

  void build(uint32_t begin, uint32_t end, const std::vector<Bounds>& bounds);

  // Calls visit(solid) for the solids of each leaf that the ray meets within `limit`, near nodes
  // first; visit may lower `limit` and stops the search by returning true.
  template <class Visit>
  void traverse(const Ray& ray, double& limit, const Visit& visit) const;

  std::vector<Shape> shapes_;
  std::vector<uint32_t> order_;
  std::vector<Node> nodes_;
};

}  // namespace dualdepth::synthetic
