#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "dualdepth/base/random.h"
#include "dualdepth/data/synthetic_scene.h"

namespace dualdepth::synthetic {

// The middle of a road: y = amplitude * (sin(wave_number * x + phase) - sin(phase)). A place on the
// road is a station (metres along x) and an offset (metres to the left of the line).
struct Centreline {
  double amplitude = 0;
  double wave_number = 0;
  double phase = 0;

  double slope(double station) const;  // dy/dx
  double yaw(double station) const;    // rad
  Vec3 at(double station, double offset) const;
  // {station, offset} of a point; the inverse of at() to some centimetres beside the road.
  std::pair<double, double> locate(const Vec3& point) const;
};

// A gap in houses and pavement through which asphalt runs.
struct SideStreet {
  double station;
  double half_width;
  int side;  // 1: left, -1: right
};

// What one street looks like.
struct StreetStyle {
  Centreline line;
  double length = 300;      // m
  int lanes = 1;            // each way
  double lane_width = 3.2;  // m
  double parking = 0;       // width of a parking lane on both sides, m; 0: none
  double pavement = 2;      // width of the raised pavement, m; 0: grass to the edge
  double garden = 3;        // m between pavement and houses
  double built_up = 0.5;    // share of plots with a house; the rest are trees, walls, lawns
  double woods = 0.4;       // most trees a metre of a plot without a house
  int floors = 2;           // of a typical house
  double street_trees = 0;  // share of places along the kerb with a tree
  double parked = 0.5;      // share of parking places taken
  std::vector<SideStreet> side_streets;
  uint32_t seed = 0;  // of textures

  double edge() const { return lanes * lane_width + parking; }  // offset of the kerb
  double frontage() const { return edge() + pavement + garden; }
};

// From a country road in the woods to a town street lined with houses.
StreetStyle draw_street_style(double length, RandomStream& random);

// Asphalt with markings, wear and patches, side streets, and grass beyond.
Scene::GroundSurface street_ground(const StreetStyle& style);

// Everything that stands still: kerbs, pavements, houses, trees, parked cars, lamps, signs.
std::vector<Object> build_street(const StreetStyle& style, RandomStream& random);

}  // namespace dualdepth::synthetic
