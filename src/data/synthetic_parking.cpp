#include "dualdepth/data/synthetic_parking.h"

#include <algorithm>
#include <numbers>

namespace dualdepth::synthetic {
namespace {

// Keys that keep the random streams of one seed apart.
enum StreamKey : uint64_t { kParkingStream = 11, kShakeStream = 12, kSensorStream = 13 };

constexpr double kCameraHeight = 0.8;  // m
constexpr double kCameraPitch = 0.35;  // rad, nose down
constexpr double kCameraRoom = 0.12;   // m around the lens that nothing enters
constexpr double kFirst = -12;         // m, ends of the car park along the aisle
constexpr double kLast = 26;
const Vec3 kUp{0, 0, 1};

ParkingStyle draw_style(RandomStream& random) {
  ParkingStyle style;
  style.place = random.chance(0.35) ? ParkingPlace::kGarage : ParkingPlace::kLot;
  style.light = random.chance(0.25) ? ParkingLight::kNight : ParkingLight::kDay;
  style.wet = style.place == ParkingPlace::kLot && random.chance(0.3);
  style.aisle = random.uniform(2.8, 3.6);
  style.occupied = random.uniform(0.35, 0.85);
  style.clutter = random.uniform(0.1, 0.45);
  style.ceiling = random.uniform(2.2, 2.5);
  style.seed = static_cast<uint32_t>(random.next());
  return style;
}

// Under a ceiling light comes from everywhere; a night outdoors has a lamp high above.
Lighting draw_lighting(const ParkingStyle& style, RandomStream& random) {
  Lighting lighting;
  const double azimuth = random.uniform(0, 2 * std::numbers::pi);
  const double elevation = random.uniform(0.4, 1.2);
  lighting.to_sun = {std::cos(azimuth) * std::cos(elevation),
                     std::sin(azimuth) * std::cos(elevation), std::sin(elevation)};
  lighting.sun = Color(3.0F, 2.8F, 2.5F);
  lighting.cloud_cover = static_cast<float>(random.uniform(0, 0.8));
  lighting.haze_length = 800;
  lighting.seed = static_cast<uint32_t>(random.next());
  if (style.place == ParkingPlace::kGarage) {
    const auto tint = static_cast<float>(random.uniform(0, 1));
    const Color light = mix(Color(0.75F, 0.8F, 0.85F), Color(0.85F, 0.75F, 0.55F), tint);
    lighting.sun = Color::all(0);
    lighting.zenith = lighting.horizon = light;
    lighting.cloud_cover = 0;
  } else if (style.light == ParkingLight::kNight) {
    lighting.sun = Color(0.5F, 0.38F, 0.22F);
    lighting.zenith = Color(0.012F, 0.015F, 0.03F);
    lighting.horizon = Color(0.04F, 0.04F, 0.05F);
    lighting.cloud_cover = 0;
  }
  return lighting;
}

bool is_dark(const ParkingStyle& style) {
  return style.light == ParkingLight::kNight && style.place == ParkingPlace::kLot;
}

Material plain(const Color& color, RandomStream& random) {
  return {MaterialKind::kPlain, color, {}, static_cast<uint32_t>(random.next()), 0.02F};
}

void add_pillar(std::vector<Object>& objects, const Placement& placement, double height,
                RandomStream& random) {
  const double width = random.uniform(0.3, 0.55);
  const Material concrete = plain(Color::all(0.45F), random);
  const Color warning = random.chance(0.5) ? Color(0.6F, 0.45F, 0.04F) : Color(0.5F, 0.06F, 0.05F);
  if (random.chance(0.3)) {
    objects.push_back({Cylinder{placement.at, kUp, height, width / 2}, concrete});
    return;
  }
  objects.push_back({Box{placement.at, {width, width, height}, placement.heading()}, concrete});
  if (random.chance(0.6)) {  // a painted foot
    objects.push_back(
        {Box{placement.point(0, 0, 0.25), {width + 0.01, width + 0.01, 0.9}, placement.heading()},
         plain(warning, random)});
  }
}

void add_kerb(std::vector<Object>& objects, const Placement& placement, double length,
              RandomStream& random) {
  objects.push_back({Box{placement.at,
                         {length, 0.16, random.uniform(0.09, 0.16)},
                         placement.heading(),
                         {.side = 0.15}},
                     plain(Color::all(static_cast<float>(random.uniform(0.35, 0.55))), random)});
}

void add_loose_wheel(std::vector<Object>& objects, const Placement& placement,
                     RandomStream& random) {
  const double radius = random.uniform(0.28, 0.36);
  const Material tyre{MaterialKind::kWheel, {}, Color::all(0.4F)};
  const Vec3 axle = placement.heading().to_world({1, 0, 0});
  objects.push_back({Cylinder{placement.point(0, 0, radius), axle, 0.22, radius}, tyre});
}

// From a parcel to a crate of a person's size.
void add_crate(std::vector<Object>& objects, const Placement& placement, RandomStream& random) {
  const bool tall = random.chance(0.4);
  const Vec3 size{random.uniform(0.3, 0.7), random.uniform(0.3, 0.7),
                  tall ? random.uniform(1.4, 1.9) : random.uniform(0.25, 0.7)};
  const Color cardboard(0.42F, 0.3F, 0.17F);
  objects.push_back({Box{placement.at, size, placement.heading()},
                     plain(cardboard * static_cast<float>(random.uniform(0.6, 1.3)), random)});
}

void add_cone(std::vector<Object>& objects, const Placement& placement, RandomStream& random) {
  const Material orange = plain(Color(0.75F, 0.2F, 0.03F), random);
  objects.push_back({Box{placement.at, {0.36, 0.36, 0.04}, placement.heading()}, orange});
  objects.push_back(
      {Box{placement.point(0, 0, 0.04), {0.26, 0.26, 0.6}, placement.heading(), {0.17, 0.17, 0.17}},
       orange});
}

}  // namespace

template <class Add>
void ParkingDrive::add_instance(const char* name, Add add) {
  const size_t first = objects_.size();
  add(objects_);
  if (meets_camera(first)) {
    objects_.resize(first);
    return;
  }
  instances_.push_back({name, first, objects_.size() - first});
}

ParkingDrive::ParkingDrive(uint64_t seed, int sequence, int frames)
    : seed_(seed), sequence_(static_cast<uint64_t>(sequence)), frames_(frames) {
  RandomStream random({seed, kParkingStream, sequence_});
  style_ = draw_style(random);
  lighting_ = draw_lighting(style_, random);
  step_ = random.uniform(0.1, 0.45);
  offset_ = random.uniform(-1.3, 1.3);
  // Along the aisle, against it, or turning into a bay.
  const double ahead = random.chance(0.5) ? 0 : std::numbers::pi;
  heading_ = random.chance(0.35) ? random.uniform(-std::numbers::pi, std::numbers::pi)
                                 : ahead + random.uniform(-0.25, 0.25);
  turn_ = random.uniform(-0.03, 0.03);
  exposure_ = static_cast<float>(random.uniform(0.8, 1.25)) *
              (is_dark(style_)                         ? 2.2F
               : style_.place == ParkingPlace::kGarage ? 1.5F
                                                       : 0.75F);
  build(random);
}

bool ParkingDrive::meets_camera(size_t first) const {
  for (size_t i = first; i < objects_.size(); ++i) {
    const Bounds bounds = bounds_of(objects_[i].shape);
    for (int frame = 0; frame < frames_; ++frame) {
      const Vec3 at = camera_pose(frame).position;
      const bool inside = at.x > bounds.low.x - kCameraRoom && at.x < bounds.high.x + kCameraRoom &&
                          at.y > bounds.low.y - kCameraRoom && at.y < bounds.high.y + kCameraRoom &&
                          at.z > bounds.low.z - kCameraRoom && at.z < bounds.high.z + kCameraRoom;
      if (inside) return true;
    }
  }
  return false;
}

void ParkingDrive::build(RandomStream& random) {
  for (const int side : {1, -1}) {
    for (double x = kFirst; x < kLast; x += style_.bay_width) {
      const double turned =
          side * std::numbers::pi / 2 + (random.chance(0.4) ? std::numbers::pi : 0);
      const double middle = style_.aisle + style_.bay_depth / 2;
      const Placement bay{{x + style_.bay_width / 2, side * middle, 0}, turned};
      fill_bay(bay, random);
      if (random.chance(0.5)) {  // where wheels stop
        const Placement stop{{x + style_.bay_width / 2, side * (middle + 2.2), 0}, 0};
        add_instance("kerb", [&](auto& objects) { add_kerb(objects, stop, 1.7, random); });
      }
    }
    close_off(side, random);
  }
  if (style_.place == ParkingPlace::kGarage) roof_over(random);
  for (int frame = 0; frame < frames_; frame += 2) put_before_camera(frame, random);
}

void ParkingDrive::fill_bay(const Placement& bay, RandomStream& random) {
  if (random.chance(style_.occupied)) {
    Placement parked = bay;
    parked.at.x += random.uniform(-0.2, 0.2);
    parked.at.y += random.uniform(-0.3, 0.3);
    parked.yaw += random.uniform(-0.06, 0.06);
    add_instance("car", [&](auto& objects) { add_car(objects, parked, random); });
  } else if (random.chance(style_.clutter)) {
    Placement somewhere = bay;
    somewhere.at.x += random.uniform(-0.8, 0.8);
    somewhere.at.y += random.uniform(-2, 2);
    somewhere.yaw = random.uniform(-std::numbers::pi, std::numbers::pi);
    add_clutter(somewhere, random);
  }
}

void ParkingDrive::add_clutter(const Placement& placement, RandomStream& random) {
  switch (random.below(6)) {
    case 0:
      add_instance("pedestrian",
                   [&](auto& objects) { add_pedestrian(objects, placement, random); });
      break;
    case 1:
      add_instance("bin", [&](auto& objects) { add_bin(objects, placement, random); });
      break;
    case 2:
      add_instance("wheel", [&](auto& objects) { add_loose_wheel(objects, placement, random); });
      break;
    case 3:
      add_instance("cone", [&](auto& objects) { add_cone(objects, placement, random); });
      break;
    case 4:
      add_instance("pillar",
                   [&](auto& objects) { add_pillar(objects, placement, style_.ceiling, random); });
      break;
    default:
      add_instance("box", [&](auto& objects) { add_crate(objects, placement, random); });
  }
}

// Behind the bays of one side: a kerb, and a wall, hedge, fence or building.
void ParkingDrive::close_off(int side, RandomStream& random) {
  const double middle = (kFirst + kLast) / 2;
  const double length = kLast - kFirst + 6;
  const Placement edge{{middle, side * (style_.wall() - 0.35), 0}, 0};
  const Placement behind{{middle, side * (style_.wall() + 0.3), 0}, 0};
  if (style_.place == ParkingPlace::kGarage) {
    add_instance("wall", [&](auto& objects) {
      objects.push_back({Box{behind.at, {length, 0.3, style_.ceiling}},
                         {MaterialKind::kBrick, Color::all(0.5F), Color::all(0.35F), style_.seed}});
    });
    return;
  }
  add_instance("kerb", [&](auto& objects) { add_kerb(objects, edge, length, random); });
  if (random.chance(0.3)) {
    const double along = random.uniform(-4, 4);
    const Placement front{{middle + along, side * (style_.wall() + 1), 0},
                          side > 0 ? 0 : std::numbers::pi};
    add_instance("wall", [&](auto& objects) {
      add_house(objects, front, {length, 8, 1 + static_cast<int>(random.below(3))}, random);
    });
    return;
  }
  const auto kind = static_cast<BarrierKind>(random.below(4));
  add_instance(kind == BarrierKind::kWall ? "wall" : "barrier", [&](auto& objects) {
    add_barrier(objects, behind, length, kind, style_.seed + static_cast<uint32_t>(side + 1));
  });
  for (double x = kFirst; x < kLast; x += random.uniform(5, 14)) {
    const Placement planted{{x, side * (style_.wall() + random.uniform(1.5, 5)), 0}};
    add_instance("tree",
                 [&](auto& objects) { add_tree(objects, planted, random.uniform(4, 9), random); });
  }
}

// The garage's ceiling with its beams, its end walls, and its pillars between the bays.
void ParkingDrive::roof_over(RandomStream& random) {
  const double middle = (kFirst + kLast) / 2;
  const double length = kLast - kFirst + 8;
  const double width = 2 * style_.wall() + 2;
  const Material concrete = plain(Color::all(0.5F), random);
  add_instance("ceiling", [&](auto& objects) {
    objects.push_back({Box{{middle, 0, style_.ceiling}, {length, width, 0.3}}, concrete});
    for (double x = kFirst; x < kLast; x += 3 * style_.bay_width) {
      objects.push_back({Box{{x, 0, style_.ceiling - 0.25}, {0.4, width, 0.25}}, concrete});
    }
  });
  for (const double x : {kFirst - 3, kLast + 3}) {
    add_instance("wall", [&](auto& objects) {
      objects.push_back({Box{{x, 0, 0}, {0.3, width, style_.ceiling}}, concrete});
    });
  }
  for (double x = kFirst; x < kLast; x += 3 * style_.bay_width) {
    for (const int side : {1, -1}) {
      const Placement corner{{x, side * (style_.aisle + 0.4), 0}};
      add_instance("pillar",
                   [&](auto& objects) { add_pillar(objects, corner, style_.ceiling, random); });
    }
  }
}

// Something close by: what a near-field camera is there for.
void ParkingDrive::put_before_camera(int frame, RandomStream& random) {
  if (!random.chance(0.4)) return;
  const Pose pose = camera_pose(frame);
  const Vec3 ahead = pose.forward();
  const double bearing = std::atan2(ahead.y, ahead.x) + random.uniform(-1.2, 1.2);
  const double distance = 0.25 + 1.8 * std::pow(random.uniform(), 1.5);
  const Placement placement{{pose.position.x + distance * std::cos(bearing),
                             pose.position.y + distance * std::sin(bearing), 0},
                            random.uniform(-std::numbers::pi, std::numbers::pi)};
  if (random.chance(0.25)) {
    add_instance("kerb", [&](auto& objects) { add_kerb(objects, placement, 2, random); });
  } else {
    add_clutter(placement, random);
  }
}

Scene ParkingDrive::scene() const {
  return Scene(objects_, Plane{}, parking_ground(style_), lighting_);
}

Pose ParkingDrive::camera_pose(int frame) const {
  RandomStream shake({seed_, kShakeStream, sequence_, static_cast<uint64_t>(frame)});
  const double middle = (frames_ - 1) / 2.0;
  const double yaw = heading_ + turn_ * (frame - middle);
  const double way = step_ * (frame - middle);
  const Vec3 position{way * std::cos(heading_), offset_ + way * std::sin(heading_),
                      kCameraHeight + 0.006 * shake.normal()};
  return Pose::from_angles(position, yaw, kCameraPitch + 0.004 * shake.normal(),
                           0.004 * shake.normal());
}

Sensor ParkingDrive::sensor(int frame) const {
  Sensor sensor;
  sensor.exposure = exposure_;
  sensor.noise = is_dark(style_) ? 5.0F : 1.5F;
  sensor.vignette = 0.35F;
  sensor.seed =
      RandomStream({seed_, kSensorStream, sequence_, static_cast<uint64_t>(frame)}).next();
  return sensor;
}

}  // namespace dualdepth::synthetic
