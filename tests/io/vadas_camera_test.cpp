#include "dualdepth/io/vadas_camera.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "dualdepth/base/error.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TempFolder;
using ::testing::ThrowsMessage;

struct Projection {
  cv::Point3d point;
  cv::Point2d full, small;  // in 1920x1536 and 640x384
};

// The model's formula in Python.
const std::vector<Projection>& projections() {
  static const std::vector<Projection> values{
      {{1, 1, 0}, {597.8245019594527, 770.48822}, {199.27483398648425, 192.622055}},
      {{2, -0.5, 0.3},
       {1127.366197533882, 697.0394614796709},
       {375.78873251129403, 174.25986536991772}},
      {{0, 1, -2}, {612.9751117524185, 1554.4411964951632}, {204.3250372508061, 388.6102991237908}},
      {{5, 0, -1}, {1004.9516, 869.5085757068836}, {334.98386666666664, 217.3771439267209}}};
  return values;
}

TEST(VadasCamera, ProjectsByItsFormulaAtAnySize) {
  const VadasCamera camera;
  for (const Projection& expected : projections()) {
    const auto full = camera.project(expected.point, {1920, 1536});
    const auto small = camera.project(expected.point, {640, 384});
    ASSERT_TRUE(full && small);
    EXPECT_NEAR(full->x, expected.full.x, 1e-6);
    EXPECT_NEAR(full->y, expected.full.y, 1e-6);
    EXPECT_NEAR(small->x, expected.small.x, 1e-6);
    EXPECT_NEAR(small->y, expected.small.y, 1e-6);
  }
  EXPECT_FALSE(camera.project({-0.01, 1, 0}, {1920, 1536})) << "behind the camera";
}

TEST(VadasCamera, DirectionIsTheInverseOfProjection) {
  const VadasCamera camera;
  for (const Projection& expected : projections()) {
    const auto direction = camera.direction(expected.small.x, expected.small.y, {640, 384});
    ASSERT_TRUE(direction);
    const cv::Point3d unit = expected.point * (1 / std::sqrt(expected.point.dot(expected.point)));
    EXPECT_NEAR(direction->x, unit.x, 1e-9);
    EXPECT_NEAR(direction->y, unit.y, 1e-9);
    EXPECT_NEAR(direction->z, unit.z, 1e-9);
  }
}

// rho(90 degrees) = 876.486 px, of the third point above.
TEST(VadasCamera, SeesNothingBeyondNinetyDegrees) {
  const VadasCamera camera;
  const double centre_u = 1004.9516, centre_v = 770.48822;
  EXPECT_TRUE(camera.direction(centre_u + 876.4, centre_v, {1920, 1536}));
  EXPECT_FALSE(camera.direction(centre_u + 876.6, centre_v, {1920, 1536}));
  EXPECT_FALSE(camera.direction(0, 0, {1920, 1536}));
}

TEST(ReadVadasCamera, TakesAListInAnyShapeAndIgnoresWhatFollows) {
  const TempFolder folder;
  const std::string numbers = "[0, 1, 0, 0, 0, 0, 0, 2, 0.004, 10.5, -3, 1920, 1536]";
  for (const std::string& text :
       {numbers, std::string("0 1 0\n0 0 0 0\t2 0.004\r\n10.5, -3\nand more")}) {
    const VadasCamera camera = read_vadas_camera(folder.write("vadas.json", text));
    EXPECT_EQ(camera.k[1], 1);
    EXPECT_EQ(camera.k[2], 0);
    EXPECT_EQ(camera.s, 2);
    EXPECT_EQ(camera.div, 0.004);
    EXPECT_EQ(camera.u_x, 10.5);
    EXPECT_EQ(camera.u_y, -3);
    EXPECT_DOUBLE_EQ(camera.radius(0.5), 250);
  }
}

TEST(ReadVadasCamera, ReadsWhatIsWritten) {
  const TempFolder folder;
  VadasCamera camera;
  camera.u_x = 1.0 / 3;
  write_vadas_camera(folder / "vadas.json", camera);
  const VadasCamera read = read_vadas_camera(folder / "vadas.json");
  EXPECT_EQ(read.k, camera.k);
  EXPECT_EQ(read.u_x, camera.u_x);
}

struct BadFile {
  const char* text;
  const char* message;
};

void PrintTo(const BadFile& value, std::ostream* out) { *out << value.text; }

class BadVadasFile : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadVadasFile, IsRefusedByName) {
  const TempFolder folder;
  EXPECT_THAT([&] { read_vadas_camera(folder.write("vadas.json", GetParam().text)); },
              ThrowsMessage<Error>(
                  AllOf(HasSubstr("vadas.json: expected"), HasSubstr(GetParam().message))));
}

INSTANTIATE_TEST_SUITE_P(
    Faults, BadVadasFile,
    ::testing::Values(BadFile{"", "11 numbers, got 0"}, BadFile{"[0, 1, 0]", "11 numbers, got 3"},
                      BadFile{"0 1 0 0 0 zero 0 1 1 0 0", "numbers, got zero"},
                      BadFile{"0 1 0 0 0 nan 0 1 1 0 0", "numbers, got nan"},
                      BadFile{"0 1 0 0 0 1e999 0 1 1 0 0", "numbers, got 1e999"},
                      BadFile{"0 1 0 0 0 0 0 1 0 0 0", "s and div above 0, got 1 and 0"},
                      BadFile{"0 1 -1 0 0 0 0 1 1 0 0", "a radius that grows"}));

}  // namespace
}  // namespace dualdepth
