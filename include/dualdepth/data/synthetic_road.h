#pragma once

#include <cstdint>
#include <vector>

#include "dualdepth/data/synthetic_props.h"
#include "dualdepth/data/synthetic_render.h"
#include "dualdepth/data/synthetic_street.h"

namespace dualdepth::synthetic {

// A drive down one street, in right-hand traffic. All of it is a pure function of (seed, drive), so
// frames can be made in any order and on any thread.
class RoadDrive {
 public:
  RoadDrive(uint64_t seed, int drive, int frames);

  // What stands and moves near the camera at this frame: from 40 m behind it to 250 m ahead.
  Scene scene(int frame) const;

  // The camera, some 1.65 m above the road, in a lane of its own; 1 to 2.5 m farther each frame.
  Pose camera_pose(int frame) const;

  Sensor sensor(int frame) const;

 private:
  struct Vehicle {
    double station;  // at frame 0, m
    double offset;   // of its lane, m
    double speed;    // m a frame; negative: oncoming
    bool lorry;
    uint64_t seed;
  };

  double camera_station(int frame) const { return frame * step_; }
  void place_traffic(RandomStream& random);
  void add_vehicle(std::vector<Object>& objects, const Vehicle& vehicle, int frame) const;

  uint64_t seed_;
  uint64_t drive_;
  double step_;         // m a frame
  double lane_offset_;  // of the camera, m
  double camera_height_;
  double camera_pitch_;
  StreetStyle style_;
  Lighting lighting_;
  float exposure_;
  std::vector<Object> still_;
  std::vector<Vehicle> vehicles_;
};

}  // namespace dualdepth::synthetic
