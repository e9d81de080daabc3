#include "dualdepth/data/ray_caster.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <opencv2/core/hal/intrin.hpp>
#include <span>

namespace dualdepth::synthetic {
namespace {

constexpr uint32_t kRunSize = 2;  // solids that are tried without a further split
constexpr uint32_t kMaxDepth = 48;

using Axis = double Vec3::*;
constexpr std::array<Axis, 3> kAxes{&Vec3::x, &Vec3::y, &Vec3::z};

double center(const Bounds& bounds, Axis axis) {
  return (bounds.low.*axis + bounds.high.*axis) / 2;
}

// Half of the surface of a box, to which the chance that a ray meets it is proportional.
double half_area(const Bounds& bounds) {
  const Vec3 e = bounds.high - bounds.low;
  return e.x * e.y + e.y * e.z + e.z * e.x;
}

// The solids on one side of a split.
struct Side {
  Bounds bounds;
  uint32_t count = 0;

  void include(const Side& other) {
    bounds.include(other.bounds);
    count += other.count;
  }
  double cost() const { return count == 0 ? 0 : count * half_area(bounds); }
};

// The plane that parts solids by their centres.
struct Split {
  double cost = kNoHit;
  Axis axis = &Vec3::x;
  double position = 0;
};

// The cheapest of kBins - 1 evenly spaced planes across one axis.
Split cheapest_split(std::span<const uint32_t> solids, const std::vector<Bounds>& bounds,
                     Axis axis) {
  constexpr size_t kBins = 12;
  double low = kNoHit;
  double high = -kNoHit;
  for (const uint32_t solid : solids) {
    low = std::min(low, center(bounds[solid], axis));
    high = std::max(high, center(bounds[solid], axis));
  }
  if (!(low < high)) return {};
  std::array<Side, kBins> bins;
  for (const uint32_t solid : solids) {
    const double share = (center(bounds[solid], axis) - low) / (high - low);
    bins[std::min(kBins - 1, static_cast<size_t>(share * kBins))].include({bounds[solid], 1});
  }
  std::array<Side, kBins> above = bins;
  for (size_t i = kBins - 1; i > 0; --i) above[i - 1].include(above[i]);
  Split best;
  Side below;
  for (size_t i = 1; i < kBins; ++i) {
    below.include(bins[i - 1]);
    const double cost = below.cost() + above[i].cost();
    if (cost < best.cost) {
      best = {cost, axis, low + (high - low) * static_cast<double>(i) / kBins};
    }
  }
  return best;
}

// Brings the solids of the first child to the front; returns their number.
uint32_t partition(std::span<uint32_t> solids, const std::vector<Bounds>& bounds) {
  Split best;
  for (const Axis axis : kAxes) {
    const Split split = cheapest_split(solids, bounds, axis);
    if (split.cost < best.cost) best = split;
  }
  const auto middle = std::partition(solids.begin(), solids.end(), [&](uint32_t solid) {
    return center(bounds[solid], best.axis) < best.position;
  });
  const auto first = static_cast<uint32_t>(middle - solids.begin());
  const auto count = static_cast<uint32_t>(solids.size());
  return first == 0 || first == count ? count / 2 : first;  // all centres in one place
}

// A ray as the test of four bounds wants it.
struct WideRay {
  explicit WideRay(const Ray& ray) {
    for (size_t i = 0; i < kAxes.size(); ++i) {
      // A component of 0 becomes so small that no product is NaN.
      const double d = ray.direction.*kAxes[i];
      const double safe = std::copysign(std::max(std::abs(d), 1e-12), d);
      origin[i] = cv::v_setall_f32(static_cast<float>(ray.origin.*kAxes[i]));
      inverse[i] = cv::v_setall_f32(static_cast<float>(1 / safe));
    }
  }

  std::array<cv::v_float32x4, 3> origin;
  std::array<cv::v_float32x4, 3> inverse;
};

// Where the ray enters each of four bounds; returns a bit for each that it meets.
uint32_t entries_of(const WideRay& ray, const std::array<std::array<float, 4>, 3>& low,
                    const std::array<std::array<float, 4>, 3>& high,
                    std::array<float, 4>& entries) {
  cv::v_float32x4 enter = cv::v_setzero_f32();
  cv::v_float32x4 exit = cv::v_setall_f32(std::numeric_limits<float>::max());
  for (size_t i = 0; i < 3; ++i) {
    const cv::v_float32x4 a = (cv::v_load_aligned(low[i].data()) - ray.origin[i]) * ray.inverse[i];
    const cv::v_float32x4 b = (cv::v_load_aligned(high[i].data()) - ray.origin[i]) * ray.inverse[i];
    enter = cv::v_max(enter, cv::v_min(a, b));
    exit = cv::v_min(exit, cv::v_max(a, b));
  }
  cv::v_store_aligned(entries.data(), enter);
  return static_cast<uint32_t>(cv::v_signmask(enter <= exit));
}

}  // namespace

// A little wider than the solids, so that single precision never loses a hit within 1 km.
void RayCaster::Node::set_bounds(size_t child, const Bounds& bounds) {
  constexpr double kMargin = 2e-3;
  for (size_t i = 0; i < kAxes.size(); ++i) {
    low[i][child] = static_cast<float>(bounds.low.*kAxes[i] - kMargin);
    high[i][child] = static_cast<float>(bounds.high.*kAxes[i] + kMargin);
  }
}

RayCaster::RayCaster(std::vector<Shape> shapes) : shapes_(std::move(shapes)) {
  std::vector<Bounds> bounds;
  bounds.reserve(shapes_.size());
  for (const Shape& shape : shapes_) bounds.push_back(bounds_of(shape));
  order_.resize(shapes_.size());
  std::iota(order_.begin(), order_.end(), 0U);
  nodes_.reserve(shapes_.size());
  if (!shapes_.empty()) build(0, static_cast<uint32_t>(shapes_.size()), 0, bounds);
}

uint32_t RayCaster::build(uint32_t begin, uint32_t end, uint32_t depth,
                          const std::vector<Bounds>& bounds) {
  std::vector<std::pair<uint32_t, uint32_t>> runs{{begin, end}};
  const auto length = [](const auto& run) { return run.second - run.first; };
  while (runs.size() < kChildren) {
    const auto longest =
        std::max_element(runs.begin(), runs.end(),
                         [&](const auto& a, const auto& b) { return length(a) < length(b); });
    if (length(*longest) <= kRunSize) break;
    const auto [from, to] = *longest;
    // Binned splits of solids at growing distances could go as deep as there are solids.
    const uint32_t middle =
        from + (depth < kMaxDepth / 2 ? partition({order_.data() + from, to - from}, bounds)
                                      : (to - from) / 2);
    *longest = {from, middle};
    runs.emplace_back(middle, to);
  }
  const auto index = static_cast<uint32_t>(nodes_.size());
  nodes_.emplace_back();
  for (size_t child = 0; child < runs.size(); ++child) {
    const auto [from, to] = runs[child];
    Bounds enclosed;
    for (uint32_t i = from; i < to; ++i) enclosed.include(bounds[order_[i]]);
    const uint32_t count = to - from <= kRunSize ? to - from : 0;
    const uint32_t first = count > 0 ? from : build(from, to, depth + 1, bounds);
    Node& node = nodes_[index];  // only now: build() may move the nodes
    node.set_bounds(child, enclosed);
    node.first[child] = first;
    node.count[child] = count;
    node.used |= 1U << child;
  }
  return index;
}

template <class Visit>
void RayCaster::traverse(const Ray& ray, double& limit, const Visit& visit) const {
  if (shapes_.empty()) return;
  const WideRay wide(ray);
  struct Pending {
    float entry;
    uint32_t first;
    uint32_t count;
  };
  std::array<Pending, kMaxDepth * kChildren> stack;
  size_t size = 0;
  stack[size++] = {0, 0, 0};
  while (size > 0) {
    const Pending pending = stack[--size];
    if (pending.entry >= limit) continue;
    for (uint32_t i = 0; i < pending.count; ++i) {
      if (visit(order_[pending.first + i])) return;
    }
    if (pending.count > 0) continue;
    const Node& node = nodes_[pending.first];
    alignas(16) std::array<float, kChildren> entries;
    uint32_t met = node.used & entries_of(wide, node.low, node.high, entries);
    const size_t bottom = size;
    for (; met != 0; met &= met - 1) {
      const auto child = static_cast<size_t>(std::countr_zero(met));
      if (entries[child] >= limit) continue;
      // Sorted in: the nearest child ends on top.
      size_t place = size++;
      for (; place > bottom && stack[place - 1].entry < entries[child]; --place) {
        stack[place] = stack[place - 1];
      }
      stack[place] = {entries[child], node.first[child], node.count[child]};
    }
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
