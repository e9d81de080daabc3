#include <algorithm>

#include "dualdepth/data/synthetic_street.h"

namespace dualdepth::synthetic {
namespace {

class StreetGround {
 public:
  explicit StreetGround(const StreetStyle& style)
      : style_(style),
        asphalt_(Color::all(0.11F + 0.12F * cell_value(1, 1, 1, style.seed))),
        worn_(0.6F * cell_value(2, 1, 1, style.seed)),
        dashed_centre_(cell_value(3, 1, 1, style.seed) < 0.75F),
        edge_lines_(style.parking == 0 && cell_value(4, 1, 1, style.seed) < 0.7F) {}

  Surface operator()(const Vec3& point, const Footprint& footprint) const {
    const auto [station, offset] = style_.line.locate(point);
    const double paved = std::abs(offset) - style_.edge();
    if (paved > 0 && !in_side_street(station, offset)) return {grass(point, footprint), 0, 0.15F};
    const Color road = asphalt(point, station, offset, footprint);
    const float paint = paved > 0 ? 0 : marking(station, offset, footprint);
    if (paint == 0) return {road, 0};
    const float wear = 1 - worn_ * noise(point, 0.7, footprint.mean(), style_.seed + 3);
    return {mix(road, Color::all(0.62F), paint * wear), 0};
  }

 private:
  bool in_side_street(double station, double offset) const {
    return std::any_of(style_.side_streets.begin(), style_.side_streets.end(), [&](const auto& s) {
      return s.side * offset > 0 && std::abs(station - s.station) < s.half_width;
    });
  }

  Color grass(const Vec3& point, const Footprint& footprint) const {
    const float tufts = noise(point, 0.5, footprint.mean(), style_.seed + 4);
    const float dry = noise(point, 9, footprint.mean(), style_.seed + 5);
    const Color color = mix(Color(0.09F, 0.14F, 0.03F), Color(0.24F, 0.2F, 0.09F), dry);
    return color * (0.5F + tufts);
  }

  Color asphalt(const Vec3& point, double station, double offset,
                const Footprint& footprint) const {
    const double fine = footprint.mean();
    const float large = noise(point, 6, fine, style_.seed);
    const float grain = noise(point, 0.12, fine, style_.seed + 1);
    // Tyres polish two tracks in each lane.
    const double in_lane = offset / style_.lane_width - std::floor(offset / style_.lane_width);
    const auto track = static_cast<float>(std::cos((in_lane - 0.25) * 4 * CV_PI));
    float shade = 0.72F + 0.35F * large + 0.3F * (grain - 0.5F) + 0.06F * track;
    // Repaired patches, one here and there on a grid of 9 x 2.5 m.
    const int row = static_cast<int>(std::floor(station / 9));
    const int column = static_cast<int>(std::floor(offset / 2.5));
    if (cell_value(row, column, 5, style_.seed) < 0.12F) {
      const double x = station - 9 * row, y = offset - 2.5 * column;
      const double length = 2 + 6 * cell_value(row, column, 6, style_.seed);
      const float inside =
          band(x, 0.5, length, footprint.along) * band(y, 0.3, 2.1, footprint.across);
      shade *= 1 - inside * (0.45F * cell_value(row, column, 7, style_.seed) - 0.1F);
    }
    return asphalt_ * shade;
  }

  float marking(double station, double offset, const Footprint& footprint) const {
    const auto line = [&](double at, double width) {
      return band(offset, at - width / 2, at + width / 2, footprint.across);
    };
    const float dashes = repeated_band(station, 9, 3.5, footprint.along);
    float paint = line(0, 0.13) * (dashed_centre_ ? dashes : 1);
    for (int lane = 1; lane < style_.lanes; ++lane) {
      paint +=
          (line(lane * style_.lane_width, 0.12) + line(-lane * style_.lane_width, 0.12)) * dashes;
    }
    const double carriageway = style_.lanes * style_.lane_width;
    if (edge_lines_) paint += line(carriageway - 0.25, 0.13) + line(0.25 - carriageway, 0.13);
    if (style_.parking > 0) {
      const float bays = repeated_band(station, 5.6, 0.1, footprint.along);
      const float parking = band(std::abs(offset), carriageway, style_.edge(), footprint.across);
      paint += line(carriageway, 0.1) + line(-carriageway, 0.1) + bays * parking;
    }
    for (const SideStreet& side : style_.side_streets) {
      paint += crossing(side, station, offset, footprint);
    }
    return std::min(paint, 1.0F);
  }

  // A zebra crossing over the whole road, beside a side street.
  float crossing(const SideStreet& side, double station, double offset,
                 const Footprint& footprint) const {
    const double from = station - side.station - side.half_width - 1;
    const float stripes = repeated_band(offset + 0.25, 1.0, 0.5, footprint.across);
    return band(from, 0, 3, footprint.along) * stripes;
  }

  StreetStyle style_;
  Color asphalt_;
  float worn_;
  bool dashed_centre_;
  bool edge_lines_;
};

}  // namespace

Scene::GroundSurface street_ground(const StreetStyle& style) { return StreetGround(style); }

}  // namespace dualdepth::synthetic
