#include "dualdepth/data/synthetic_props.h"

#include <algorithm>
#include <array>
#include <numbers>

namespace dualdepth::synthetic {
namespace {

const Vec3 kUp{0, 0, 1};
constexpr float kLeafOpenness = 0.45F;

uint32_t draw_seed(RandomStream& random) { return static_cast<uint32_t>(random.next()); }

float draw(RandomStream& random, double low, double high) {
  return static_cast<float>(random.uniform(low, high));
}

template <size_t n>
Color pick(const std::array<Color, n>& palette, RandomStream& random) {
  return palette[random.below(n)] * draw(random, 0.85, 1.15);
}

Color leaf_color(RandomStream& random) {
  const Color green(0.10F, 0.17F, 0.035F);
  const Color olive(0.16F, 0.17F, 0.04F);
  const Color autumn(0.28F, 0.16F, 0.04F);
  const Color color = mix(green, olive, draw(random, 0, 1));
  return random.chance(0.12) ? mix(color, autumn, draw(random, 0.3, 1)) : color;
}

Material foliage(const Color& color, RandomStream& random) {
  return {MaterialKind::kFoliage, color * 0.5F, color * 1.6F, draw_seed(random), 0};
}

struct CarForm {
  double length;
  double width;
  double sill;         // height of the lower edge of the body, m
  double body_height;  // from the sill to the windows
  double cabin_height;
  double cabin_share;  // of the body's length
  double cabin_shift;  // of the cabin's middle, forwards, as a share of the length
  Lean body_lean;
  Lean cabin_lean;
  double wheel_radius;
};

CarForm draw_car_form(RandomStream& random) {
  const double scale = random.uniform(0.95, 1.06);
  const auto choice = random.below(10);
  CarForm form{4.1, 1.74, 0.2, 0.62, 0.6, 0.72, -0.09, {0.15, 0.08, 0.06}, {0.9, 0.4, 0.28}, 0.31};
  if (choice >= 3 && choice < 6) {  // saloon
    form = {4.6, 1.78, 0.2, 0.62, 0.54, 0.62, -0.05, {0.15, 0.1, 0.06}, {1.1, 0.9, 0.3}, 0.32};
  } else if (choice >= 6 && choice < 8) {  // estate or off-roader
    form = {4.65, 1.85, 0.26, 0.72, 0.64, 0.74, -0.11, {0.12, 0.06, 0.05}, {0.9, 0.2, 0.22}, 0.36};
  } else if (choice >= 8) {  // van
    form = {5.2, 1.95, 0.26, 0.95, 1.0, 0.84, -0.07, {0.2, 0.02, 0.03}, {0.65, 0.03, 0.08}, 0.34};
  }
  form.length *= scale;
  form.body_height *= random.uniform(0.95, 1.05);
  return form;
}

void add_wheels(std::vector<Object>& objects, const Placement& placement, const CarForm& form,
                RandomStream& random) {
  const Material material{MaterialKind::kWheel, {}, Color::all(draw(random, 0.15, 0.55))};
  constexpr double kWheelWidth = 0.22;
  for (const double x : {-0.3 * form.length, 0.31 * form.length}) {
    for (const double side : {-1.0, 1.0}) {
      const double inner = side * (form.width / 2 - kWheelWidth + 0.01);
      objects.push_back(
          {Cylinder{placement.point(x, inner, form.wheel_radius),
                    placement.heading().to_world({0, side, 0}), kWheelWidth, form.wheel_radius},
           material});
    }
  }
}

Material wall_paint(RandomStream& random) {
  static const std::array<Color, 7> kPlaster{
      Color(0.62F, 0.58F, 0.5F),  Color(0.7F, 0.68F, 0.64F),  Color(0.55F, 0.42F, 0.28F),
      Color(0.6F, 0.5F, 0.32F),   Color(0.45F, 0.46F, 0.47F), Color(0.5F, 0.28F, 0.2F),
      Color(0.38F, 0.45F, 0.52F),
  };
  const Color frames = random.chance(0.7) ? Color(0.65F, 0.65F, 0.62F) : Color(0.16F, 0.1F, 0.07F);
  return {MaterialKind::kFacade, pick(kPlaster, random), frames, draw_seed(random), 0};
}

}  // namespace

void add_car(std::vector<Object>& objects, const Placement& placement, RandomStream& random) {
  static const std::array<Color, 8> kPaints{
      Color(0.75F, 0.75F, 0.74F), Color(0.45F, 0.46F, 0.48F), Color(0.2F, 0.2F, 0.21F),
      Color(0.03F, 0.03F, 0.03F), Color(0.04F, 0.07F, 0.2F),  Color(0.4F, 0.03F, 0.03F),
      Color(0.05F, 0.05F, 0.06F), Color(0.03F, 0.12F, 0.1F),
  };
  const CarForm form = draw_car_form(random);
  const Material paint{MaterialKind::kCarBody, pick(kPaints, random), {}, draw_seed(random), 0.06F};
  Material cabin = paint;
  cabin.kind = MaterialKind::kCarCabin;
  const Heading heading = placement.heading();
  objects.push_back({Box{placement.point(0, 0, form.sill),
                         {form.length, form.width, form.body_height},
                         heading,
                         form.body_lean},
                     paint});
  objects.push_back(
      {Box{placement.point(form.cabin_shift * form.length, 0, form.sill + form.body_height),
           {form.length * form.cabin_share, form.width * 0.93, form.cabin_height},
           heading,
           form.cabin_lean},
       cabin});
  add_wheels(objects, placement, form, random);
  // Little light gets under a car.
  objects.push_back({Box{placement.at, {form.length * 0.97, form.width * 0.97, 0.005}, heading},
                     {MaterialKind::kPlain, Color::all(0.02F)}});
}

void add_lorry(std::vector<Object>& objects, const Placement& placement, RandomStream& random) {
  static const std::array<Color, 4> kSides{Color(0.7F, 0.7F, 0.7F), Color(0.5F, 0.35F, 0.08F),
                                           Color(0.1F, 0.2F, 0.4F), Color(0.45F, 0.08F, 0.06F)};
  const double length = random.uniform(5, 8.5);
  const double width = 2.4;
  const double height = random.uniform(2.3, 2.9);
  const Color color = pick(kSides, random);
  const Heading heading = placement.heading();
  const Material sides{MaterialKind::kPlain, color, {}, draw_seed(random), 0.03F};
  const Material paint{MaterialKind::kCarBody, color * 0.9F, {}, draw_seed(random), 0.05F};
  Material window = paint;
  window.kind = MaterialKind::kCarCabin;
  objects.push_back({Box{placement.point(-1.2, 0, 0.9), {length, width, height}, heading}, sides});
  const double cab = length / 2 - 0.1;
  objects.push_back({Box{placement.point(cab, 0, 0.4), {2, 2.3, 1.2}, heading}, paint});
  objects.push_back(
      {Box{placement.point(cab, 0, 1.6), {2, 2.3, 1.1}, heading, {0.2, 0, 0.05}}, window});
  CarForm chassis{};
  chassis.length = length * 1.05;
  chassis.width = width;
  chassis.wheel_radius = 0.48;
  add_wheels(objects, placement, chassis, random);
}

void add_tree(std::vector<Object>& objects, const Placement& placement, double height,
              RandomStream& random) {
  const bool narrow = random.chance(0.25);
  const double stem = height * (narrow ? 0.12 : random.uniform(0.25, 0.38));
  const Material bark{MaterialKind::kBark,
                      Color(0.16F, 0.12F, 0.09F) * draw(random, 0.6, 1.5),
                      {},
                      draw_seed(random)};
  objects.push_back(
      {Cylinder{placement.at, kUp, stem + 0.25 * height, 0.018 * height + 0.06}, bark});
  const Material leaves = foliage(leaf_color(random), random);
  const double crown = height - stem;
  const double breadth = crown * (narrow ? 0.22 : random.uniform(0.36, 0.5));
  const int clumps = narrow ? 9 : 13;
  for (int i = 0; i < clumps; ++i) {
    const double up = (i + 0.5) / clumps;
    // Fullest a third of the way up, closing towards the top.
    const double spread = breadth * (narrow ? 1 - 0.85 * up : std::sqrt(up * (1 - up)) * 1.5);
    const double angle = i * 2.4 + random.uniform(0, 1);
    const double off = spread * random.uniform(0.3, 0.75);
    const bool core = i % 3 == 1;  // solid, so that crowns are not hollow
    const double radius =
        std::max(0.4 * breadth, spread * random.uniform(0.45, 0.7)) * (core ? 0.9 : 1.2);
    const Vec3 center = placement.point(off * std::cos(angle), off * std::sin(angle),
                                        stem + crown * (0.08 + (narrow ? 0.84 : 0.72) * up));
    const double tall = narrow ? 1.6 : random.uniform(0.7, 1.0);
    const Vec3 radii{radius, radius * random.uniform(0.8, 1.2), radius * tall};
    objects.push_back({Ellipsoid{center, radii, Heading(angle), core ? 0 : kLeafOpenness}, leaves});
  }
}

void add_bush(std::vector<Object>& objects, const Placement& placement, double height,
              RandomStream& random) {
  const Material leaves = foliage(leaf_color(random), random);
  for (int i = 0; i < 4; ++i) {
    const double radius = height * random.uniform(0.4, 0.62);
    const Vec3 center = placement.point(height * random.uniform(-0.7, 0.7),
                                        height * random.uniform(-0.7, 0.7), radius * 0.6);
    objects.push_back({Ellipsoid{center,
                                 {radius, radius * random.uniform(0.8, 1.2), radius * 0.9},
                                 Heading(random.uniform(0, 3)),
                                 i == 0 ? 0 : kLeafOpenness},
                       leaves});
  }
}

void add_house(std::vector<Object>& objects, const Placement& placement, const HouseSize& size,
               RandomStream& random) {
  static const std::array<Color, 4> kTiles{Color(0.32F, 0.1F, 0.06F), Color(0.2F, 0.09F, 0.06F),
                                           Color(0.12F, 0.12F, 0.13F), Color(0.25F, 0.16F, 0.11F)};
  const Material walls = wall_paint(random);
  const double height = size.floors * random.uniform(2.7, 3.1) + 0.4;
  const Heading heading = placement.heading();
  const Vec3 middle = placement.point(0, size.depth / 2, 0);
  objects.push_back({Box{middle, {size.length, size.depth, height}, heading}, walls});
  const bool flat = size.floors > 3 ? random.chance(0.6) : random.chance(0.1);
  const Material tiles{MaterialKind::kRoof, pick(kTiles, random), walls.color, draw_seed(random)};
  const Vec3 top = middle + Vec3{0, 0, height};
  if (flat) {
    const Vec3 parapet{size.length + 0.3, size.depth + 0.3, 0.5};
    objects.push_back({Box{top, parapet, heading},
                       {MaterialKind::kPlain, walls.color * 0.6F, {}, draw_seed(random)}});
    return;
  }
  const double rise = random.uniform(0.6, 1.0);
  const double hip = random.chance(0.35) ? 0.8 : 0;
  if (random.chance(0.7)) {  // eaves towards the street
    const double ridge = (size.depth / 2 + 0.4) * rise;
    objects.push_back(
        {Box{top, {size.length + 0.5, size.depth + 0.8, ridge}, heading, {hip, hip, 1 / rise}},
         tiles});
  } else {
    const double ridge = std::min(size.length / 2 * rise, 5.0);
    const double lean = (size.length / 2 + 0.4) / ridge;
    objects.push_back(
        {Box{top, {size.length + 0.8, size.depth + 0.4, ridge}, heading, {lean, lean, hip}},
         tiles});
  }
  const Vec3 chimney =
      placement.point(random.uniform(-0.3, 0.3) * size.length, size.depth * 0.6, height);
  objects.push_back({Box{chimney, {0.6, 0.6, 3.2}, heading},
                     {MaterialKind::kBrick, Color(0.3F, 0.14F, 0.1F), Color::all(0.3F)}});
}

void add_lamp_post(std::vector<Object>& objects, const Placement& placement, RandomStream& random) {
  const Material metal{
      MaterialKind::kPlain, Color::all(draw(random, 0.15, 0.45)), {}, draw_seed(random), 0.04F};
  const double height = random.uniform(6, 9);
  const double reach = random.uniform(0.8, 2.2);
  objects.push_back({Cylinder{placement.at, kUp, height, 0.075}, metal});
  const Vec3 sideways = placement.heading().to_world({0, 1, 0});
  objects.push_back({Cylinder{placement.point(0, 0, height - 0.1), sideways, reach, 0.04}, metal});
  objects.push_back(
      {Box{placement.point(0, reach, height - 0.15), {0.25, 0.7, 0.13}, placement.heading()},
       metal});
}

void add_sign(std::vector<Object>& objects, const Placement& placement, RandomStream& random) {
  const Color red(0.5F, 0.03F, 0.03F);
  const Color white = Color::all(0.8F);
  const Color blue(0.03F, 0.1F, 0.4F);
  const Material grey{MaterialKind::kPlain, Color::all(0.4F), {}, draw_seed(random), 0.05F};
  Material face{MaterialKind::kSign, white, red, draw_seed(random)};
  if (random.chance(0.4)) std::tie(face.color, face.accent) = std::pair(blue, white);
  if (random.chance(0.15))
    std::tie(face.color, face.accent) = std::pair(Color(0.7F, 0.5F, 0.02F), white);
  const double low = random.uniform(1.9, 2.4);
  const double size = random.uniform(0.55, 0.85);
  objects.push_back({Cylinder{placement.at, kUp, low + size * 0.8, 0.035}, grey});
  const double tall = random.chance(0.25) ? 1.4 : 1.0;
  // A triangle is a board whose sides lean until they meet.
  const double lean = random.chance(0.3) ? 0.5 / tall : 0;
  objects.push_back({Box{placement.point(-0.06, 0, low),
                         {0.04, size, size * tall},
                         placement.heading(),
                         {.side = lean}},
                     face});
}

void add_traffic_light(std::vector<Object>& objects, const Placement& placement,
                       RandomStream& random) {
  const Material dark{MaterialKind::kPlain, Color::all(0.03F), {}, draw_seed(random), 0.03F};
  const Material pole{MaterialKind::kPlain, Color::all(0.3F), {}, draw_seed(random), 0.04F};
  const double height = random.uniform(2.4, 3.2);
  objects.push_back({Cylinder{placement.at, kUp, height + 0.9, 0.07}, pole});
  objects.push_back(
      {Box{placement.point(-0.15, 0, height), {0.25, 0.35, 0.95}, placement.heading()}, dark});
  const bool green = random.chance(0.5);
  const Color light = green ? Color(0.1F, 2.0F, 0.9F) : Color(2.5F, 0.12F, 0.06F);
  objects.push_back({Ellipsoid{placement.point(-0.27, 0, height + (green ? 0.17 : 0.77)),
                               {0.05, 0.11, 0.11},
                               placement.heading()},
                     {MaterialKind::kPlain, light, {}, 0}});
}

void add_pedestrian(std::vector<Object>& objects, const Placement& placement,
                    RandomStream& random) {
  const double scale = random.uniform(0.9, 1.08);
  const auto cloth = [&] {
    const Color color(draw(random, 0.02, 0.5), draw(random, 0.02, 0.4), draw(random, 0.02, 0.5));
    return Material{MaterialKind::kPlain, color, {}, draw_seed(random)};
  };
  const Material trousers = cloth();
  const Material coat = cloth();
  const Material skin{MaterialKind::kPlain, Color(0.5F, 0.33F, 0.24F), {}, 0};
  const double stride = random.uniform(0, 0.25);
  for (const double side : {-1.0, 1.0}) {
    const Vec3 foot = placement.point(side * stride, side * 0.1, 0);
    const Vec3 hip = placement.point(0, side * 0.08, 0.85 * scale);
    objects.push_back(
        {Cylinder{foot, normalized(hip - foot), cv::norm(hip - foot), 0.08}, trousers});
    const Vec3 hand = placement.point(-side * stride, side * 0.27, 0.8 * scale);
    const Vec3 shoulder = placement.point(0, side * 0.21, 1.42 * scale);
    objects.push_back(
        {Cylinder{hand, normalized(shoulder - hand), cv::norm(shoulder - hand), 0.055}, coat});
  }
  const Heading heading = placement.heading();
  objects.push_back(
      {Ellipsoid{placement.point(0, 0, 1.15 * scale), {0.16, 0.24, 0.4}, heading}, coat});
  objects.push_back(
      {Ellipsoid{placement.point(0, 0, 1.63 * scale), {0.1, 0.09, 0.13}, heading}, skin});
}

void add_bin(std::vector<Object>& objects, const Placement& placement, RandomStream& random) {
  static const std::array<Color, 4> kLids{Color(0.04F, 0.05F, 0.05F), Color(0.03F, 0.1F, 0.3F),
                                          Color(0.35F, 0.28F, 0.03F), Color(0.05F, 0.2F, 0.06F)};
  objects.push_back(
      {Box{placement.at, {0.58, 0.55, 1.05}, placement.heading(), {-0.06, -0.06, -0.06}},
       {MaterialKind::kPlain, pick(kLids, random), {}, draw_seed(random), 0.02F}});
}

void add_barrier(std::vector<Object>& objects, const Placement& placement, double length,
                 BarrierKind kind, uint32_t seed) {
  const float tone = 0.8F + 0.5F * cell_value(1, 2, 3, seed);
  const double extra = cell_value(3, 2, 1, seed);
  const auto stand = [&](double up, const Vec3& size, const Material& material) {
    objects.push_back({Box{placement.point(0, 0, up), size, placement.heading()}, material});
  };
  switch (kind) {
    case BarrierKind::kWall:
      stand(0, {length, 0.3, 0.8 + 1.4 * extra},
            {MaterialKind::kBrick, Color(0.33F, 0.17F, 0.12F) * tone, Color::all(0.35F), seed});
      break;
    case BarrierKind::kHedge:
      stand(0, {length, 0.8, 0.9 + extra},
            {MaterialKind::kFoliage, Color(0.04F, 0.08F, 0.02F) * tone,
             Color(0.13F, 0.22F, 0.05F) * tone, seed});
      break;
    case BarrierKind::kFence:
      stand(0, {length, 0.06, 0.9 + 0.7 * extra},
            {MaterialKind::kFence, Color(0.3F, 0.2F, 0.12F) * tone, {}, seed});
      break;
    case BarrierKind::kGuardRail: {
      const Material steel{MaterialKind::kPlain, Color::all(0.45F) * tone, {}, seed, 0.08F};
      stand(0.45, {length, 0.08, 0.32}, steel);
      for (double x = -length / 2; x < length / 2; x += 2) {
        objects.push_back({Cylinder{placement.point(x, 0, 0), kUp, 0.7, 0.06}, steel});
      }
      break;
    }
  }
}

}  // namespace dualdepth::synthetic
