#include "dualdepth/data/ray_caster.h"

#include <gtest/gtest.h>

#include <numbers>

#include "dualdepth/base/random.h"
#include "dualdepth/data/synthetic_camera.h"

namespace dualdepth::synthetic {
namespace {

constexpr double kMillimetre = 1e-3;
const Vec3 kEye{0, 0, 1.65};

// Depth along the camera's axis, through a pinhole of focal length 400 px at (320, 96), 1.65 m
// above the ground and level.
template <class Solid>
double depth_of(const Solid& solid, double u, double v) {
  const Camera camera = pinhole_camera({400, 400, 320, 96}, {640, 192}, Pose{kEye});
  const Ray ray = *camera.ray(u, v);
  return camera.depth_along(ray, intersect(solid, ray));
}

// By hand: a pixel n rows below the horizon sees the ground at fy * height / n.
TEST(SyntheticPlane, DepthIsFocalLengthTimesHeightOverRowsBelowTheHorizon) {
  const Plane ground{{0, 0, 0}};
  EXPECT_NEAR(depth_of(ground, 320, 146), 400 * 1.65 / 50, kMillimetre);  // 13.2 m
  EXPECT_NEAR(depth_of(ground, 0, 146), 400 * 1.65 / 50, kMillimetre);    // the same along the row
  EXPECT_NEAR(depth_of(ground, 17, 104), 400 * 1.65 / 8, kMillimetre);    // 82.5 m
  EXPECT_EQ(depth_of(ground, 320, 96), kNoHit);
  EXPECT_EQ(depth_of(ground, 320, 20), kNoHit);
}

TEST(SyntheticBox, UprightFrontHasOneDepth) {
  const Box box{.base = {22, 1, 0}, .size = {4, 2, 3}};
  EXPECT_NEAR(depth_of(box, 300, 90), 20, kMillimetre);
  EXPECT_NEAR(depth_of(box, 290, 110), 20, kMillimetre);
  EXPECT_EQ(depth_of(box, 342, 96), kNoHit);  // passes 1.1 m to the right of the axis at 20 m
}

// A square post of 2 m turned by 45 degrees shows its edge at 10 - sqrt(2); where y = 0.5 to the
// left of the axis the face lies at 10 - sqrt(2) + 0.5.
TEST(SyntheticBox, TurnedBoxShowsItsEdge) {
  const Box box{.base = {10, 0, 0}, .size = {2, 2, 3}, .heading = Heading(std::numbers::pi / 4)};
  EXPECT_NEAR(depth_of(box, 320, 96), 10 - std::numbers::sqrt2, kMillimetre);
  const double depth = 10 - std::numbers::sqrt2 + 0.5;
  EXPECT_NEAR(depth_of(box, 320 - 400 * 0.5 / depth, 96), depth, kMillimetre);
}

// The rear face leans inwards by 0.5 m a metre: at the camera's height of 1.65 m it lies 0.825 m
// farther away than at the ground.
TEST(SyntheticBox, LeaningFaceRecedesWithHeight) {
  const Box box{.base = {12, 0, 0}, .size = {4, 4, 3}, .lean = {.rear = 0.5}};
  EXPECT_NEAR(depth_of(box, 320, 96), 10 + 0.825, kMillimetre);
}

// Nearest point of a sphere of radius 2 at 15 m on the axis: 13 m. Off the axis, the ray
// x = t, y = -0.1 t (40 px) meets it where 1.01 t^2 - 30 t + 221 = 0: t = 13.45105.
TEST(SyntheticEllipsoid, SphereDepthSolvesItsQuadratic) {
  const Ellipsoid sphere{{15, 0, 1.65}, {2, 2, 2}};
  EXPECT_NEAR(depth_of(sphere, 320, 96), 13, kMillimetre);
  EXPECT_NEAR(depth_of(sphere, 360, 96), (15 - std::sqrt(225 - 1.01 * 221)) / 1.01, kMillimetre);
  EXPECT_EQ(depth_of(sphere, 380, 96), kNoHit);  // tangent at 2 / sqrt(221) = 0.1345: 53.8 px
}

TEST(SyntheticEllipsoid, TurnedEllipsoidShowsItsOtherRadius) {
  const Ellipsoid egg{{20, 0, 1.65}, {4, 1, 1}, Heading(std::numbers::pi / 2)};
  EXPECT_NEAR(depth_of(egg, 320, 96), 19, kMillimetre);
}

// A pole of radius 0.15 at 8 m; the ray y = -0.01 x meets it where
// 1.0001 x^2 - 16 x + 64 - 0.0225 = 0.
TEST(SyntheticCylinder, PoleDepthSolvesItsQuadratic) {
  const Cylinder pole{{8, 0, 0}, {0, 0, 1}, 5, 0.15};
  EXPECT_NEAR(depth_of(pole, 320, 96), 7.85, kMillimetre);
  const double depth = (8 - std::sqrt(64 - 1.0001 * (64 - 0.0225))) / 1.0001;
  EXPECT_NEAR(depth_of(pole, 324, 96), depth, kMillimetre);
  EXPECT_EQ(depth_of(pole, 329, 96), kNoHit);
}

TEST(SyntheticCylinder, EndOfALyingBarIsFlat) {
  const Cylinder bar{{6, 0, 1.65}, {1, 0, 0}, 2, 0.5};
  EXPECT_NEAR(depth_of(bar, 320, 96), 6, kMillimetre);
  EXPECT_NEAR(depth_of(bar, 350, 96), 6, kMillimetre);  // 0.45 m off the axis
}

TEST(SyntheticShape, RayThatLeavesASurfaceDoesNotMeetItAgain) {
  const Shape box = Box{.base = {10, 0, 0}, .size = {2, 2, 3}};
  const Shape sphere = Ellipsoid{{10, 0, 0}, {1, 1, 1}};
  const Ray outwards{{9, 0, 0.5}, {-1, 0, 0}};
  EXPECT_EQ(intersect(box, outwards), kNoHit);
  EXPECT_EQ(intersect(sphere, Ray{{9, 0, 0}, {-1, 0, 0}}), kNoHit);
  EXPECT_EQ(intersect(box, Ray{{10, 0, 0.5}, {1, 0, 0}}), kNoHit) << "from inside";
}

TEST(SyntheticShape, SurfaceNormalPointsOutwards) {
  const Shape roof = Box{.base = {0, 0, 3}, .size = {8, 6, 3}, .lean = {.side = 1}};
  const SurfacePoint slope = surface_at(roof, {0, 2, 4});  // y = 3 - 1 m of height
  EXPECT_EQ(slope.face, Face::kLeft);
  EXPECT_NEAR(slope.normal.y, std::numbers::sqrt2 / 2, 1e-9);
  EXPECT_NEAR(slope.normal.z, std::numbers::sqrt2 / 2, 1e-9);
  const Shape ball = Ellipsoid{{1, 2, 3}, {2, 2, 2}, Heading(0.7)};
  EXPECT_NEAR(surface_at(ball, {1, 4, 3}).normal.y, 1, 1e-9);
}

std::vector<Shape> random_shapes(size_t count) {
  RandomStream random({11});
  std::vector<Shape> shapes;
  for (size_t i = 0; i < count; ++i) {
    const Vec3 at{random.uniform(2, 120), random.uniform(-30, 30), random.uniform(-1, 6)};
    const Vec3 size{random.uniform(0.2, 4), random.uniform(0.2, 4), random.uniform(0.2, 4)};
    const Heading heading(random.uniform(0, 6));
    if (i % 3 == 0) shapes.push_back(Box{at, size, heading, {.front = 0.1, .side = 0.05}});
    if (i % 3 == 1) shapes.push_back(Ellipsoid{at, size * 0.5, heading});
    if (i % 3 == 2) shapes.push_back(Cylinder{at, normalized(size), size.x, size.y / 2});
  }
  return shapes;
}

TEST(RayCaster, FindsWhatTryingEverySolidFinds) {
  const std::vector<Shape> shapes = random_shapes(400);
  const RayCaster caster(shapes);
  RandomStream random({12});
  int hits = 0;
  for (int i = 0; i < 3000; ++i) {
    const Ray ray{kEye, normalized({1, random.uniform(-0.8, 0.8), random.uniform(-0.2, 0.2)})};
    RayHit expected;
    for (uint32_t s = 0; s < shapes.size(); ++s) {
      const double distance = intersect(shapes[s], ray);
      if (distance < expected.distance) expected = {distance, s};
    }
    const auto found = caster.nearest(ray);
    ASSERT_EQ(found.has_value(), expected.distance < kNoHit);
    ASSERT_EQ(caster.blocked(ray), found.has_value());
    if (!found) continue;
    ++hits;
    ASSERT_EQ(found->shape, expected.shape);
    ASSERT_EQ(found->distance, expected.distance);
    ASSERT_FALSE(caster.nearest(ray, found->distance * 0.99));
    ASSERT_FALSE(caster.blocked(ray, found->distance * 0.99));
  }
  EXPECT_GT(hits, 1000);
}

TEST(RayCaster, EmptySceneBlocksNothing) {
  const RayCaster caster({});
  EXPECT_FALSE(caster.nearest({kEye, {1, 0, 0}}));
  EXPECT_FALSE(caster.blocked({kEye, {1, 0, 0}}));
}

TEST(SyntheticPose, PitchLooksDownYawLooksLeft) {
  const Pose down = Pose::from_angles({}, 0, 0.1, 0);
  EXPECT_NEAR(down.forward().z, -std::sin(0.1), 1e-12);
  const Pose left = Pose::from_angles({}, 0.1, 0, 0);
  EXPECT_NEAR(left.forward().y, std::sin(0.1), 1e-12);
  const Pose both = Pose::from_angles({3, 2, 1}, 0.4, 0.2, 0.1);
  const Vec3 back = both.to_device(both.to_world({5, -6, 7}));
  EXPECT_NEAR(back.x, 5, 1e-9);
  EXPECT_NEAR(back.y, -6, 1e-9);
  EXPECT_NEAR(back.z, 7, 1e-9);
}

}  // namespace
}  // namespace dualdepth::synthetic
