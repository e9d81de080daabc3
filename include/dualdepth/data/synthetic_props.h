#pragma once

#include <vector>

#include "dualdepth/base/random.h"
#include "dualdepth/data/synthetic_scene.h"

// Things that stand about in streets and car parks. Each function adds the solids of one thing to
// a list and draws its size, colour and wear from the random stream.
namespace dualdepth::synthetic {

// A point on the ground and the heading of the thing's front there.
struct Placement {
  Vec3 at;
  double yaw = 0;

  Heading heading() const { return Heading(yaw); }
  // World coordinates of a point given forward of, left of and above the placement.
  Vec3 point(double forward, double left, double up) const {
    return at + heading().to_world({forward, left, up});
  }
};

// Hatchback, saloon, estate or van, 3.6 to 5.6 m long, on wheels that touch the ground.
void add_car(std::vector<Object>& objects, const Placement& placement, RandomStream& random);

// Lorry or bus, 7 to 11 m long.
void add_lorry(std::vector<Object>& objects, const Placement& placement, RandomStream& random);

// A broad-leaved or narrow tree with a crown of many ellipsoids; `height` in metres.
void add_tree(std::vector<Object>& objects, const Placement& placement, double height,
              RandomStream& random);

// A few round bushes, up to `height` metres.
void add_bush(std::vector<Object>& objects, const Placement& placement, double height,
              RandomStream& random);

struct HouseSize {
  double length;  // along its front, m
  double depth;   // away from the street, m
  int floors;
};

// A house whose front's middle is at the placement; its heading runs along the front, with the
// house to the left of it.
void add_house(std::vector<Object>& objects, const Placement& placement, const HouseSize& size,
               RandomStream& random);

// A lamp post, 6 to 9 m high; the arm reaches to the left of the heading.
void add_lamp_post(std::vector<Object>& objects, const Placement& placement, RandomStream& random);

// A traffic sign whose picture can be read by traffic that drives in its heading.
void add_sign(std::vector<Object>& objects, const Placement& placement, RandomStream& random);

void add_traffic_light(std::vector<Object>& objects, const Placement& placement,
                       RandomStream& random);

void add_pedestrian(std::vector<Object>& objects, const Placement& placement, RandomStream& random);

void add_bin(std::vector<Object>& objects, const Placement& placement, RandomStream& random);

// A stretch of wall, hedge or fence: `length` metres long, centred at the placement.
enum class BarrierKind { kWall, kHedge, kFence, kGuardRail };
void add_barrier(std::vector<Object>& objects, const Placement& placement, double length,
                 BarrierKind kind, uint32_t seed);

}  // namespace dualdepth::synthetic
