#include "dualdepth/data/synthetic_material.h"

#include <algorithm>

namespace dualdepth::synthetic {
namespace {

const Color kGlass(0.03F, 0.04F, 0.05F);
const Color kRubber(0.02F, 0.02F, 0.02F);
const Color kGrey(0.35F, 0.35F, 0.36F);
const Color kWhite(0.8F, 0.8F, 0.78F);

// A point on an upright face: metres to the right of the face's middle and above the base.
struct FacePoint {
  double u;
  double z;
  double width;
  double height;
};

bool is_upright(Face face) { return face != Face::kTop && face != Face::kBottom; }

FacePoint on_face(const SurfacePoint& p) {
  const bool across = p.face == Face::kFront || p.face == Face::kRear;
  return {across ? p.local.y : p.local.x, p.local.z, across ? p.size.y : p.size.x, p.size.z};
}

// A share of the pixel that lies in a rectangle.
float rectangle(const FacePoint& p, double left, double right, double low, double high,
                double footprint) {
  return band(p.u, left, right, footprint) * band(p.z, low, high, footprint);
}

// 1 -+ strength, with features of `wavelength` metres.
float stain(const SurfacePoint& p, double wavelength, double footprint, uint32_t seed,
            float strength) {
  return 1 + strength * (2 * noise(p.local, wavelength, footprint, seed) - 1);
}

Surface plain(const Material& m, const SurfacePoint& p, double footprint) {
  return {m.color * stain(p, 0.8, footprint, m.seed, 0.2F), m.gloss};
}

Surface pavement(const Material& m, const SurfacePoint& p, double footprint) {
  constexpr double kSlab = 0.5;
  constexpr double kJoint = 0.012;
  const float joint = std::max(repeated_band(p.local.x, kSlab, kJoint, footprint),
                               repeated_band(p.local.y, kSlab, kJoint, footprint));
  const auto cell = [&](double v) { return static_cast<int>(std::floor(v / kSlab)); };
  const float fade = static_cast<float>(std::clamp(2 - footprint / kSlab * 2, 0.0, 1.0));
  const float slab = (cell_value(cell(p.local.x), cell(p.local.y), 0, m.seed) - 0.5F) * fade;
  const float shade = (1 + 0.25F * slab) * stain(p, 1.5, footprint, m.seed, 0.25F);
  return {mix(m.color, m.color * 0.35F, joint) * shade, 0};
}

Surface facade(const Material& m, const SurfacePoint& p, double footprint) {
  const Color wall = m.color * stain(p, 2.0, footprint, m.seed, 0.12F);
  if (!is_upright(p.face)) return {wall * 0.6F, 0};
  const FacePoint f = on_face(p);
  const double floors = std::max(1.0, std::round(f.height / 2.9));
  const double storey = f.height / floors;
  const double spacing = 2.2 + 1.6 * cell_value(1, 0, 0, m.seed);
  const double columns = std::max(1.0, std::round(f.width / spacing));
  const double period = f.width / columns;
  const double share = 0.35 + 0.3 * cell_value(2, 0, 0, m.seed);
  const double from_edge = f.u + f.width / 2;
  const int column = static_cast<int>(std::floor(from_edge / period));
  const int row = static_cast<int>(std::floor(f.z / storey));
  const bool shop = row == 0 && cell_value(3, 0, 0, m.seed) < 0.3F;
  const double half = period * (shop ? 0.42 : share / 2);
  const double low = shop ? 0.4 : 0.9;
  const double high = shop ? storey - 0.5 : std::min(storey - 0.35, 2.35);
  const FacePoint window{from_edge - (column + 0.5) * period, f.z - row * storey, 0, 0};
  const float frame =
      rectangle(window, -half - 0.08, half + 0.08, low - 0.1, high + 0.08, footprint);
  float pane = rectangle(window, -half, half, low, high, footprint);
  if (!shop) pane *= 1 - band(window.u, -0.04, 0.04, footprint);
  const float plinth = band(f.z, 0, 0.45, footprint);
  const float curtain = cell_value(column, row, 7, m.seed);
  const Color behind = curtain < 0.35F ? mix(kGlass, m.accent, 0.25F + curtain) : kGlass;
  const Color outside = mix(mix(wall, wall * 0.55F, plinth), m.accent, frame);
  return {mix(outside, behind, pane), 0.12F * pane};
}

Surface brick(const Material& m, const SurfacePoint& p, double footprint) {
  constexpr double kCourse = 0.08;
  constexpr double kBrickLength = 0.25;
  constexpr double kJoint = 0.012;
  const FacePoint f = on_face(p);
  const int course = static_cast<int>(std::floor(f.z / kCourse));
  const double along = f.u + (course % 2) * kBrickLength / 2;
  const float joint = std::max(repeated_band(f.z, kCourse, kJoint, footprint),
                               repeated_band(along, kBrickLength, kJoint, footprint));
  const int index = static_cast<int>(std::floor(along / kBrickLength));
  const float fade = static_cast<float>(std::clamp(2 - footprint / kCourse, 0.0, 1.0));
  const float tint = 1 + 0.5F * fade * (cell_value(index, course, 0, m.seed) - 0.5F);
  const Color stone = m.color * tint * stain(p, 2.0, footprint, m.seed, 0.25F);
  return {mix(stone, m.accent, joint), 0};
}

Surface roof(const Material& m, const SurfacePoint& p, double footprint) {
  const float rows = repeated_band(p.local.z, 0.25, 0.05, footprint);
  const float tiles = repeated_band(p.local.x + p.local.y, 0.3, 0.03, footprint);
  const float shade = 1 - 0.45F * std::max(rows, tiles);
  return {m.color * shade * stain(p, 1.5, footprint, m.seed, 0.3F), 0};
}

Surface car_body(const Material& m, const SurfacePoint& p, double footprint) {
  Surface paint{m.color, m.gloss};
  if (!is_upright(p.face)) return paint;
  const FacePoint f = on_face(p);
  const auto lay = [&](const Color& color, float share, float gloss) {
    paint.albedo = mix(paint.albedo, color, share);
    paint.gloss += (gloss - paint.gloss) * share;
  };
  lay(kRubber, band(f.z, 0, 0.12, footprint), 0);
  const double edge = f.width / 2;
  if (p.face == Face::kFront || p.face == Face::kRear) {
    const bool front = p.face == Face::kFront;
    const double lamp = f.height * 0.62;
    const Color lamp_color = front ? Color(0.75F, 0.78F, 0.8F) : Color(0.55F, 0.02F, 0.02F);
    for (const double side : {-1.0, 1.0}) {
      const double middle = side * (edge - 0.25);
      lay(lamp_color,
          rectangle(f, middle - 0.18, middle + 0.18, lamp - 0.08, lamp + 0.1, footprint), 0.1F);
    }
    if (front) lay(kRubber, rectangle(f, -0.45, 0.45, lamp - 0.1, lamp + 0.08, footprint), 0);
    lay(kWhite, rectangle(f, -0.26, 0.26, 0.22, 0.33, footprint), 0);
    return paint;
  }
  // Wheel arches, where synthetic_car places the wheels, and the seams of two doors.
  for (const double x : {-0.3 * f.width, 0.31 * f.width}) {
    const double distance = std::hypot(f.u - x, f.z);
    lay(kRubber, band(distance, -1, 0.4, footprint), 0);
  }
  for (const double x : {-0.19 * f.width, 0.02 * f.width, 0.2 * f.width}) {
    lay(kRubber, 0.7F * band(f.u, x, x + 0.015, footprint), m.gloss);
  }
  return paint;
}

Surface car_cabin(const Material& m, const SurfacePoint& p, double footprint) {
  if (!is_upright(p.face)) return {m.color, m.gloss};
  const FacePoint f = on_face(p);
  float glass = band(f.z, 0.04, f.height - 0.07, footprint);
  if (p.face == Face::kLeft || p.face == Face::kRight) {
    glass *= 1 - band(f.u, -0.04, 0.04, footprint);
    glass *= 1 - band(f.u, -0.36 * f.width, -0.33 * f.width, footprint);
  }
  return {mix(m.color, kGlass, glass), m.gloss + (0.15F - m.gloss) * glass};
}

Surface wheel(const Material& m, const SurfacePoint& p, double footprint) {
  if (p.face == Face::kRound) return {kRubber, 0};
  const double radius = p.size.x / 2;
  const double from_axis = std::sqrt(p.local.dot(p.local));
  const float rim = band(from_axis, -1, radius * 0.68, footprint);
  const float gap = band(from_axis, radius * 0.3, radius * 0.55, footprint) * 0.4F;
  return {mix(kRubber, m.accent * (1 - gap), rim), 0.05F};
}

Surface foliage(const Material& m, const SurfacePoint& p, double footprint) {
  const float clumps = noise(p.local, 1.1, footprint, m.seed);
  const float leaves = footprint < 0.2 ? value_noise(p.local * 5, m.seed + 5) : 0.5F;
  const float depth = std::clamp(0.15F + 1.9F * (leaves - 0.3F) * (0.4F + clumps), 0.08F, 1.3F);
  return {mix(m.color, m.accent, clumps) * depth, 0, 0.6F};
}

Surface bark(const Material& m, const SurfacePoint& p, double footprint) {
  const Vec3 stretched{p.local.x * 4, p.local.y * 4, p.local.z};
  return {m.color * (0.5F + noise(stretched, 0.6, footprint * 4, m.seed)), 0, 0.2F};
}

Surface sign(const Material& m, const SurfacePoint& p, double footprint) {
  if (p.face != Face::kFront && p.face != Face::kRear) return {kGrey, 0.1F};
  if (p.face == Face::kFront) return {kGrey * 0.8F, 0.05F};  // the back: traffic sees the rear face
  const FacePoint f = on_face(p);
  const double from_rim = std::min(f.width / 2 - std::abs(f.u), std::min(f.z, f.height - f.z));
  const float rim = band(from_rim, -1, 0.12 * f.width, footprint);
  const float symbol = 0.8F * rectangle(f, -0.22 * f.width, 0.22 * f.width, 0.35 * f.height,
                                        0.65 * f.height, footprint);
  return {mix(mix(m.color, m.accent, rim), m.accent * 0.3F, symbol), 0.05F};
}

Surface fence(const Material& m, const SurfacePoint& p, double footprint) {
  const FacePoint f = on_face(p);
  const float gap = repeated_band(f.u, 0.14, 0.025, footprint);
  return {mix(m.color, m.color * 0.2F, gap) * stain(p, 0.7, footprint, m.seed, 0.25F), 0};
}

Surface pattern(const Material& m, const SurfacePoint& p, const Footprint& footprint) {
  switch (m.kind) {
    case MaterialKind::kPlain:
      return plain(m, p, footprint.mean());
    case MaterialKind::kPavement:
      return pavement(m, p, footprint.mean());
    case MaterialKind::kFacade:
      return facade(m, p, footprint.mean());
    case MaterialKind::kBrick:
      return brick(m, p, footprint.mean());
    case MaterialKind::kRoof:
      return roof(m, p, footprint.mean());
    case MaterialKind::kCarBody:
      return car_body(m, p, footprint.mean());
    case MaterialKind::kCarCabin:
      return car_cabin(m, p, footprint.mean());
    case MaterialKind::kWheel:
      return wheel(m, p, footprint.mean());
    case MaterialKind::kFoliage:
      return foliage(m, p, footprint.mean());
    case MaterialKind::kBark:
      return bark(m, p, footprint.mean());
    case MaterialKind::kSign:
      return sign(m, p, footprint.mean());
    case MaterialKind::kFence:
      return fence(m, p, footprint.mean());
  }
  return {};
}

// Walls and hedges are darker at their foot, where the ground hides half of the sky.
float foot_shade(const Material& m, const SurfacePoint& p) {
  const bool stands = m.kind == MaterialKind::kFacade || m.kind == MaterialKind::kBrick ||
                      m.kind == MaterialKind::kFence ||
                      (m.kind == MaterialKind::kFoliage && p.face != Face::kRound);
  return stands ? static_cast<float>(std::min(1.0, 0.55 + 0.7 * p.local.z)) : 1;
}

}  // namespace

Surface surface_of(const Material& m, const SurfacePoint& p, const Footprint& footprint) {
  Surface surface = pattern(m, p, footprint);
  surface.albedo *= foot_shade(m, p);
  return surface;
}

}  // namespace dualdepth::synthetic
