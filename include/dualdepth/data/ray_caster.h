#pragma once

#include <array>
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

// Finds the nearest of many solids along a ray: a bounding volume hierarchy, split by the surface
// area heuristic over bins (Wald, "On fast construction of SAH-based bounding volume hierarchies",
// RT 2007). Queries may run on several threads at once.
class RayCaster {
 public:
  explicit RayCaster(std::vector<Shape> shapes);

  const Shape& shape(uint32_t index) const { return shapes_[index]; }

  // The nearest solid within `max_distance`.
  std::optional<RayHit> nearest(const Ray& ray, double max_distance = kNoHit) const;

  // Whether any solid lies within `max_distance`; cheaper than nearest().
  bool blocked(const Ray& ray, double max_distance = kNoHit) const;

 private:
  static constexpr size_t kChildren = 4;

  // The bounds of four children side by side, so that vector instructions clip a ray at all of them
  // at once. A child is a run of `count` solids from `first` on in order_ or, with count 0, node
  // `first`.
  struct Node {
    using Four = std::array<float, kChildren>;
    alignas(16) std::array<Four, 3> low{};  // by axis
    alignas(16) std::array<Four, 3> high{};
    std::array<uint32_t, kChildren> first{};
    std::array<uint32_t, kChildren> count{};
    uint32_t used = 0;  // a bit for each child that there is

    void set_bounds(size_t child, const Bounds& bounds);
  };

  // Adds a node for solids [begin, end) of order_ and returns its index.
  uint32_t build(uint32_t begin, uint32_t end, uint32_t depth, const std::vector<Bounds>& bounds);

  // Calls visit(solid) for the solids of each leaf that the ray meets within `limit`, near nodes
  // first; visit may lower `limit` and stops the search by returning true.
  template <class Visit>
  void traverse(const Ray& ray, double& limit, const Visit& visit) const;

  std::vector<Shape> shapes_;
  std::vector<uint32_t> order_;
  std::vector<Node> nodes_;
};

}  // namespace dualdepth::synthetic
