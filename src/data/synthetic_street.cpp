#include "dualdepth/data/synthetic_street.h"

#include <algorithm>
#include <numbers>

#include "dualdepth/data/synthetic_props.h"

namespace dualdepth::synthetic {
namespace {

constexpr double kBehind = -30;  // the street begins this far behind the first camera, m
constexpr double kKerbHeight = 0.12;

// Builds one side of a street; outwards is to the left for side 1, to the right for side -1.
class StreetSide {
 public:
  StreetSide(const StreetStyle& style, int side, std::vector<Object>& objects, RandomStream& random)
      : style_(style), side_(side), objects_(objects), random_(random) {}

  void build() {
    if (style_.pavement > 0) lay_pavement();
    if (style_.parking > 0) park_cars();
    place_furniture();
    for (double station = kBehind; station < style_.length;) station += build_plot(station);
    plant_backdrop();
  }

 private:
  // `along` turns the thing's heading with the direction of travel on this side of the road.
  Placement place(double station, double outwards, double height = 0) const {
    const double travel = side_ < 0 ? 0 : std::numbers::pi;
    Vec3 at = style_.line.at(station, side_ * outwards);
    at.z = height;
    return {at, style_.line.yaw(station) + travel};
  }

  bool in_side_street(double from, double to) const {
    return std::any_of(style_.side_streets.begin(), style_.side_streets.end(), [&](const auto& s) {
      return s.side == side_ && to > s.station - s.half_width && from < s.station + s.half_width;
    });
  }

  double pavement_height() const { return style_.pavement > 0 ? kKerbHeight : 0; }
  uint32_t draw_seed() { return static_cast<uint32_t>(random_.next()); }

  void lay_pavement() {
    const double step = style_.line.amplitude == 0 ? 12 : 4;
    const Color slabs = Color(0.33F, 0.31F, 0.29F) * static_cast<float>(random_.uniform(0.7, 1.3));
    const uint32_t seed = draw_seed();
    for (double station = kBehind; station < style_.length; station += step) {
      if (in_side_street(station, station + step)) continue;
      const auto strip = [&](double from, double to, double height, const Material& material) {
        const Placement middle = place(station + step / 2, (from + to) / 2);
        objects_.push_back(
            {Box{middle.at, {step + 0.05, to - from, height}, middle.heading()}, material});
      };
      const double edge = style_.edge();
      strip(edge, edge + 0.16, kKerbHeight + 0.01,
            {MaterialKind::kPlain, Color::all(0.42F), {}, seed});
      strip(edge + 0.16, edge + style_.pavement, kKerbHeight,
            {MaterialKind::kPavement, slabs, {}, seed});
    }
  }

  void park_cars() {
    constexpr double kBay = 5.6;
    for (double station = kBehind; station < style_.length; station += kBay) {
      if (!random_.chance(style_.parked) || in_side_street(station - 4, station + 4)) continue;
      const double outwards = style_.edge() - style_.parking / 2 + random_.uniform(-0.1, 0.1);
      Placement bay = place(station + random_.uniform(-0.3, 0.3), outwards);
      bay.yaw += random_.uniform(-0.04, 0.04) + (random_.chance(0.2) ? std::numbers::pi : 0);
      add_car(objects_, bay, random_);
    }
  }

  void place_furniture() {
    const double kerbside = style_.edge() + 0.5;
    const double height = pavement_height();
    const double lamp_spacing = random_.uniform(22, 45);
    const bool lamps = style_.pavement > 0 || random_.chance(0.4);
    double next_lamp = kBehind + random_.uniform(0, lamp_spacing);
    for (double station = kBehind; station < style_.length; station += random_.uniform(6, 9)) {
      if (in_side_street(station - 1, station + 1)) continue;
      if (lamps && station >= next_lamp) {
        // The arm reaches to the left of the direction of travel: over the road.
        add_lamp_post(objects_, place(station, kerbside, height), random_);
        next_lamp = station + lamp_spacing;
      } else if (random_.chance(style_.street_trees)) {
        add_tree(objects_, place(station, kerbside + 0.4, height), random_.uniform(5, 10), random_);
      } else if (random_.chance(0.16)) {
        add_sign(objects_, place(station, kerbside, height), random_);
      } else if (style_.pavement > 0 && random_.chance(0.1)) {
        add_bin(objects_, place(station, style_.edge() + style_.pavement - 0.5, height), random_);
      } else if (style_.pavement > 0 && random_.chance(0.12)) {
        Placement walker = place(station, kerbside + random_.uniform(0.2, 1), height);
        walker.yaw += random_.chance(0.5) ? std::numbers::pi : 0;
        add_pedestrian(objects_, walker, random_);
      }
    }
    for (const SideStreet& street : style_.side_streets) {
      if (street.side != side_ || !random_.chance(0.5)) continue;
      add_traffic_light(objects_, place(street.station - 6, kerbside, height), random_);
    }
  }

  // One plot from `station` on; returns its length.
  double build_plot(double station) {
    if (in_side_street(station, station + 4)) return 4;
    if (random_.chance(style_.built_up)) return build_house(station);
    const double length = random_.uniform(8, 20);
    const double front = style_.edge() + style_.pavement;
    if (random_.chance(0.35)) add_front(station, length, front + 0.5);
    if (random_.chance(0.75)) plant_grove(station, length, front);
    return length;
  }

  double build_house(double station) {
    const int floors = std::max<int>(1, style_.floors + static_cast<int>(random_.below(3)) - 1);
    const HouseSize size{random_.uniform(8, floors > 3 ? 24 : 14), random_.uniform(8, 12), floors};
    if (in_side_street(station, station + size.length)) return 4;
    const double outwards = style_.frontage() + random_.uniform(0, 0.15) * style_.garden;
    Placement front = place(station + size.length / 2, outwards);
    // add_house builds to the left of its heading.
    if (side_ < 0)
      front.yaw += std::numbers::pi;
    else
      front.yaw -= std::numbers::pi;
    add_house(objects_, front, size, random_);
    if (style_.garden > 2) {
      if (random_.chance(0.7)) {
        add_front(station, size.length, style_.edge() + style_.pavement + 0.4);
      }
      if (random_.chance(0.5)) {
        const double along = station + random_.uniform(1, size.length - 1);
        const double away = style_.edge() + style_.pavement + 1.3;
        if (random_.chance(0.3))
          add_tree(objects_, place(along, away), random_.uniform(3, 6), random_);
        else
          add_bush(objects_, place(along, away), random_.uniform(0.8, 1.8), random_);
      }
    }
    const bool row = style_.garden < 1 && random_.chance(0.75);  // wall to wall
    return size.length + (row ? 0 : random_.uniform(1.5, 8));
  }

  void add_front(double station, double length, double outwards) {
    static constexpr std::array kKinds{BarrierKind::kHedge, BarrierKind::kWall,
                                       BarrierKind::kFence};
    const BarrierKind kind = kKinds[random_.below(kKinds.size())];
    const double step = style_.line.amplitude == 0 ? length : 4;
    const uint32_t seed = draw_seed();
    for (double from = station; from < station + length; from += step) {
      const double piece = std::min(step, station + length - from);
      add_barrier(objects_, place(from + piece / 2, outwards), piece + 0.02, kind, seed);
    }
  }

  void plant_grove(double station, double length, double front) {
    const auto trees = 1 + random_.below(static_cast<uint64_t>(length * style_.woods));
    for (uint64_t i = 0; i < trees; ++i) {
      const Placement at =
          place(station + random_.uniform(0, length), front + 1.5 + random_.uniform(0, 14));
      if (random_.chance(0.3))
        add_bush(objects_, at, random_.uniform(0.7, 2.2), random_);
      else
        add_tree(objects_, at, random_.uniform(5, 14), random_);
    }
  }

  // Trees and houses behind the plots, so that gaps do not end at the horizon.
  void plant_backdrop() {
    for (double station = kBehind; station < style_.length; station += random_.uniform(9, 18)) {
      const double outwards = style_.frontage() + random_.uniform(22, 60);
      if (random_.chance(0.3)) {
        const HouseSize size{random_.uniform(8, 20), 10, static_cast<int>(1 + random_.below(4))};
        Placement front = place(station, outwards);
        front.yaw += std::numbers::pi;
        add_house(objects_, front, size, random_);
      } else {
        add_bush(objects_, place(station, outwards), random_.uniform(4, 9), random_);
      }
    }
  }

  const StreetStyle& style_;
  const int side_;
  std::vector<Object>& objects_;
  RandomStream& random_;
};

}  // namespace

double Centreline::slope(double station) const {
  return amplitude * wave_number * std::cos(wave_number * station + phase);
}

double Centreline::yaw(double station) const { return std::atan(slope(station)); }

Vec3 Centreline::at(double station, double offset) const {
  const Heading heading = Heading::of_slope(slope(station));
  const double y = amplitude * (std::sin(wave_number * station + phase) - std::sin(phase));
  return {station - offset * heading.sin, y + offset * heading.cos, 0};
}

std::pair<double, double> Centreline::locate(const Vec3& point) const {
  if (amplitude == 0) return {point.x, point.y};
  double station = point.x;
  for (int i = 0; i < 2; ++i) {
    const Vec3 foot = at(station, 0);
    const Heading heading = Heading::of_slope(slope(station));
    station += heading.to_local(point - foot).x * heading.cos;
  }
  return {station, Heading::of_slope(slope(station)).to_local(point - at(station, 0)).y};
}

StreetStyle draw_street_style(double length, RandomStream& random) {
  StreetStyle style;
  const double town = random.uniform();  // 0: woods, 1: town
  style.length = length;
  style.seed = static_cast<uint32_t>(random.next());
  if (random.chance(0.6)) {
    const double radius = random.uniform(150, 700);  // of the tightest bend, m
    style.line.wave_number = 2 * std::numbers::pi / random.uniform(200, 500);
    style.line.amplitude = 1 / (radius * style.line.wave_number * style.line.wave_number);
    style.line.amplitude = std::min(style.line.amplitude, 0.25 / style.line.wave_number);
    style.line.phase = random.uniform(0, 2 * std::numbers::pi);
  }
  style.lanes = random.chance(0.25) ? 2 : 1;
  style.lane_width = random.uniform(2.8, 3.7);
  style.parking = town > 0.3 && random.chance(0.65) ? random.uniform(2.0, 2.5) : 0;
  style.pavement = town > 0.25 ? random.uniform(1.4, 3.5) : 0;
  style.garden = town > 0.7 ? random.uniform(0, 1.5) : random.uniform(2, 9);
  style.built_up = std::clamp(1.4 * town - 0.3, 0.0, 0.92);
  style.woods = random.chance(0.4) ? 1.2 : 0.4;
  style.floors = 1 + static_cast<int>(random.uniform(0.5, 1 + 3.5 * town));
  style.street_trees = random.chance(0.4) ? random.uniform(0.1, 0.6) : 0.03;
  style.parked = random.uniform(0.25, 0.95);
  for (double station = random.uniform(5, 60); station < length;
       station += random.uniform(40, 110)) {
    style.side_streets.push_back({station, random.uniform(3, 5), random.chance(0.5) ? 1 : -1});
  }
  return style;
}

std::vector<Object> build_street(const StreetStyle& style, RandomStream& random) {
  std::vector<Object> objects;
  for (const int side : {1, -1}) StreetSide(style, side, objects, random).build();
  return objects;
}

}  // namespace dualdepth::synthetic
