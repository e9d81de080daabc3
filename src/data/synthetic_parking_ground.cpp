#include <algorithm>

#include "dualdepth/data/synthetic_parking.h"

namespace dualdepth::synthetic {
namespace {

class ParkingGround {
 public:
  explicit ParkingGround(const ParkingStyle& style)
      : style_(style),
        base_(style.place == ParkingPlace::kGarage
                  ? Color::all(0.24F + 0.14F * cell_value(1, 1, 1, style.seed))
                  : Color::all(0.12F + 0.12F * cell_value(1, 1, 1, style.seed))),
        paint_(cell_value(2, 1, 1, style.seed) < 0.75F ? Color::all(0.65F)
                                                       : Color(0.6F, 0.45F, 0.06F)),
        worn_(0.6F * cell_value(3, 1, 1, style.seed)) {}

  Surface operator()(const Vec3& point, const Footprint& footprint) const {
    Color color = base_ * shade(point, footprint.mean());
    const float wear = 1 - worn_ * noise(point, 0.7, footprint.mean(), style_.seed + 3);
    color = mix(color, paint_, wear * lines(point, footprint.mean()));
    if (!style_.wet) return {color, 0.0F};
    // Water darkens the ground and mirrors the sky where it stands.
    const float depth = noise(point, 3, footprint.mean(), style_.seed + 7);
    const float puddle = std::clamp(6 * (depth - 0.52F), 0.0F, 1.0F);
    return {color * (0.75F - 0.35F * puddle), 0.03F + 0.3F * puddle};
  }

 private:
  float shade(const Vec3& point, double fine) const {
    const float large = noise(point, 4, fine, style_.seed);
    const float grain = noise(point, 0.1, fine, style_.seed + 1);
    const float stains = noise(point, 0.9, fine, style_.seed + 2);
    float value = 0.7F + 0.35F * large + 0.35F * (grain - 0.5F);
    if (stains > 0.68F) value *= 1 - 1.5F * (stains - 0.68F);  // oil
    if (style_.place == ParkingPlace::kGarage) {
      const float joints = std::max(repeated_band(point.x, 6, 0.03, fine),
                                    repeated_band(point.y + 1, 6, 0.03, fine));
      value *= 1 - 0.5F * joints;
    }
    return value;
  }

  // Lines between bays, and one along their open ends.
  float lines(const Vec3& point, double fine) const {
    const double side = std::abs(point.y);
    const double far = style_.aisle + style_.bay_depth;
    const float between = repeated_band(point.x + 0.05, style_.bay_width, 0.1, fine) *
                          band(side, style_.aisle, far, fine);
    return std::min(1.0F, between + band(side, style_.aisle - 0.1, style_.aisle, fine));
  }

  ParkingStyle style_;
  Color base_;
  Color paint_;
  float worn_;
};

}  // namespace

Scene::GroundSurface parking_ground(const ParkingStyle& style) { return ParkingGround(style); }

}  // namespace dualdepth::synthetic
