#pragma once

#include <cstdint>

#include "dualdepth/data/synthetic_shape.h"
#include "dualdepth/data/synthetic_texture.h"

namespace dualdepth::synthetic {

enum class MaterialKind {
  kPlain,     // color with some dirt
  kPavement,  // square slabs
  kFacade,    // rows of windows in plaster of color; frames and curtains of accent
  kBrick,     // courses of bricks in mortar of accent
  kRoof,      // rows of tiles
  kCarBody,   // paint with lamps, plate and door seams
  kCarCabin,  // paint above, glass at the sides
  kWheel,     // tyre around a rim of accent
  kFoliage,   // leaves from color to accent
  kBark,
  kSign,   // a disc of color with a rim of accent on its front and rear, grey metal elsewhere
  kFence,  // upright planks
};

struct Material {
  MaterialKind kind = MaterialKind::kPlain;
  Color color{0.5F, 0.5F, 0.5F};
  Color accent{0.5F, 0.5F, 0.5F};
  uint32_t seed = 0;  // two objects of one kind differ by it
  float gloss = 0;    // share of light mirrored when seen head-on
};

// What a pixel covers of a surface, in metres: across the line of sight, and along it, where a
// surface seen at a grazing angle is stretched.
struct Footprint {
  double across = 0;
  double along = 0;

  double mean() const { return std::sqrt(across * along); }
};

// What light meets at a point.
struct Surface {
  Color albedo{0.5F, 0.5F, 0.5F};
  float gloss = 0;
  float roughness = 0;  // how far the normal is bent at random, 0..1: leaves
};

Surface surface_of(const Material& material, const SurfacePoint& point, const Footprint& footprint);

}  // namespace dualdepth::synthetic
