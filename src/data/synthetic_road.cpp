#include "dualdepth/data/synthetic_road.h"

#include <algorithm>
#include <numbers>

namespace dualdepth::synthetic {
namespace {

// Keys that keep the random streams of one seed apart.
enum StreamKey : uint64_t { kDriveStream = 1, kShakeStream = 2, kSensorStream = 3 };

constexpr double kViewBehind = 40;
constexpr double kViewAhead = 250;

Lighting draw_lighting(RandomStream& random) {
  Lighting lighting;
  const double azimuth = random.uniform(0, 2 * std::numbers::pi);
  const double elevation = random.uniform(0.3, 1.1);
  lighting.to_sun = {std::cos(azimuth) * std::cos(elevation),
                     std::sin(azimuth) * std::cos(elevation), std::sin(elevation)};
  const bool overcast = random.chance(0.25);
  lighting.cloud_cover = static_cast<float>(overcast ? 1 : random.uniform(0, 0.7));
  const auto evening = static_cast<float>(std::clamp(1.4 - 2 * elevation, 0.0, 0.6));
  lighting.sun = mix(Color(3.0F, 2.8F, 2.5F), Color(2.6F, 1.8F, 1.1F), evening);
  if (overcast) {
    lighting.sun = Color::all(0);
    lighting.zenith = Color(0.62F, 0.66F, 0.72F);
    lighting.horizon = Color(0.85F, 0.87F, 0.9F);
  }
  lighting.haze_length = random.uniform(250, 1500);
  lighting.hill_height = static_cast<float>(random.uniform(0.01, 0.07));
  lighting.seed = static_cast<uint32_t>(random.next());
  return lighting;
}

bool near_camera(const Object& object, double station) {
  const Bounds bounds = bounds_of(object.shape);
  return bounds.high.x > station - kViewBehind && bounds.low.x < station + kViewAhead;
}

}  // namespace

RoadDrive::RoadDrive(uint64_t seed, int drive, int frames)
    : seed_(seed), drive_(static_cast<uint64_t>(drive)) {
  RandomStream random({seed, kDriveStream, drive_});
  step_ = random.uniform(1, 2.5);
  style_ = draw_street_style(frames * step_ + kViewAhead, random);
  const auto lane = random.below(static_cast<uint64_t>(style_.lanes));
  lane_offset_ = -style_.lane_width * (static_cast<double>(lane) + 0.5) + random.uniform(-0.3, 0.3);
  camera_height_ = random.uniform(1.58, 1.72);
  camera_pitch_ = random.uniform(-0.01, 0.015);
  lighting_ = draw_lighting(random);
  const double daylight = 0.6 + 0.35 * lighting_.sun[1] * lighting_.to_sun.z;
  exposure_ = static_cast<float>(random.uniform(0.85, 1.25) / daylight);
  still_ = build_street(style_, random);
  place_traffic(random);
}

void RoadDrive::place_traffic(RandomStream& random) {
  const double density = random.uniform(0.1, 0.8);
  for (int lane = 0; lane < style_.lanes; ++lane) {
    for (const int side : {1, -1}) {
      const double offset = side * style_.lane_width * (lane + 0.5);
      const bool ours = std::abs(offset - lane_offset_) < 1;
      // Lanes move as one, so that nobody meets; ours at the camera's speed.
      const double speed = ours ? step_ : -side * random.uniform(0.6, 2.4);
      for (double station = ours ? 9 : -60; station < style_.length;
           station += random.uniform(11, 45)) {
        if (!random.chance(density)) continue;
        vehicles_.push_back({station + random.uniform(0, 10), offset + random.uniform(-0.25, 0.25),
                             speed, random.chance(0.1), random.next()});
      }
    }
  }
}

void RoadDrive::add_vehicle(std::vector<Object>& objects, const Vehicle& vehicle, int frame) const {
  const double station = vehicle.station + vehicle.speed * frame;
  RandomStream random({vehicle.seed});
  const double turn = vehicle.speed < 0 ? std::numbers::pi : 0;
  const Placement placement{style_.line.at(station, vehicle.offset),
                            style_.line.yaw(station) + turn};
  if (vehicle.lorry) {
    add_lorry(objects, placement, random);
  } else {
    add_car(objects, placement, random);
  }
}

Scene RoadDrive::scene(int frame) const {
  std::vector<Object> objects = still_;
  for (const Vehicle& vehicle : vehicles_) add_vehicle(objects, vehicle, frame);
  const double station = camera_station(frame);
  std::erase_if(objects, [&](const Object& object) { return !near_camera(object, station); });
  return Scene(objects, Plane{}, street_ground(style_), lighting_);
}

Pose RoadDrive::camera_pose(int frame) const {
  RandomStream shake({seed_, kShakeStream, drive_, static_cast<uint64_t>(frame)});
  const double station = camera_station(frame);
  Vec3 position = style_.line.at(station, lane_offset_);
  position.z = camera_height_ + 0.015 * shake.normal();
  return Pose::from_angles(position, style_.line.yaw(station) + 0.008 * shake.normal(),
                           camera_pitch_ + 0.004 * shake.normal(), 0.006 * shake.normal());
}

Sensor RoadDrive::sensor(int frame) const {
  Sensor sensor;
  sensor.exposure = exposure_;
  sensor.seed = RandomStream({seed_, kSensorStream, drive_, static_cast<uint64_t>(frame)}).next();
  return sensor;
}

}  // namespace dualdepth::synthetic
