#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dualdepth/data/synthetic_props.h"
#include "dualdepth/data/synthetic_render.h"

namespace dualdepth::synthetic {

// Where a car park is and how it is lit.
enum class ParkingPlace { kLot, kGarage };
enum class ParkingLight { kDay, kNight };

// What one car park looks like. Its aisle runs along x; bays open to both sides of it.
struct ParkingStyle {
  ParkingPlace place = ParkingPlace::kLot;
  ParkingLight light = ParkingLight::kDay;
  bool wet = false;
  double aisle = 3.2;      // half its width, m
  double bay_width = 2.5;  // m
  double bay_depth = 5.0;  // m
  double occupied = 0.6;   // share of bays with a car
  double clutter = 0.25;   // share of the others with something else
  double ceiling = 2.6;    // height, m; garage alone
  uint32_t seed = 0;       // of textures

  double wall() const { return aisle + bay_depth + 0.5; }  // offset of what closes the bays off
};

// The objects [first, first + count) of a scene, which together are one instance of a class.
struct Instance {
  std::string name;
  size_t first = 0;
  size_t count = 0;
};

// A car with a near-field fisheye camera that creeps through a car park: kerbs, pillars, walls,
// parked cars, wheels, boxes, bins and people, from 0.1 m on. All of it is a pure function of
// (seed, sequence). The camera is the same everywhere: 0.8 m high, pitched 20 degrees down, which
// only the car's springs move.
class ParkingDrive {
 public:
  ParkingDrive(uint64_t seed, int sequence, int frames);

  const ParkingStyle& style() const { return style_; }

  Scene scene() const;
  const std::vector<Instance>& instances() const { return instances_; }

  Pose camera_pose(int frame) const;
  Sensor sensor(int frame) const;

 private:
  template <class Add>
  void add_instance(const char* name, Add add);

  void build(RandomStream& random);
  void fill_bay(const Placement& bay, RandomStream& random);
  void close_off(int side, RandomStream& random);
  void roof_over(RandomStream& random);
  void put_before_camera(int frame, RandomStream& random);
  void add_clutter(const Placement& placement, RandomStream& random);
  bool meets_camera(size_t first) const;

  uint64_t seed_;
  uint64_t sequence_;
  int frames_;
  ParkingStyle style_;
  Lighting lighting_;
  double step_ = 0;     // m a frame
  double offset_ = 0;   // of the car from the aisle's middle, m
  double heading_ = 0;  // rad
  double turn_ = 0;     // rad a frame
  float exposure_ = 1;
  std::vector<Object> objects_;
  std::vector<Instance> instances_;
};

// Asphalt or concrete with the bays' lines, stains, and puddles where it is wet.
Scene::GroundSurface parking_ground(const ParkingStyle& style);

}  // namespace dualdepth::synthetic
