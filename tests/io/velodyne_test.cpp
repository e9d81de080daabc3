#include "dualdepth/io/velodyne.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "dualdepth/base/error.h"
#include "testing/hex.h"
#include "testing/shared_data.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using testing::bytes_from_hex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::shared_path;
using testing::TempFolder;
using ::testing::ThrowsMessage;

constexpr const char* kSweep =
    "kitti_mini/raw/2011_09_26/2011_09_26_drive_0005_sync/velodyne_points/data/0000000000.bin";

TEST(ReadVelodyne, ReadsARealSweepAsNumPyDoes) {
  DUALDEPTH_NEEDS_SHARED(kSweep);
  const std::vector<cv::Vec4f> points = read_velodyne(shared_path(kSweep));
  // np.fromfile(file, np.float32).reshape(-1, 4)
  ASSERT_EQ(points.size(), 123397u);
  EXPECT_EQ(points.front(), cv::Vec4f(22.719f, 0.031f, 0.977f, 0.32f));
  EXPECT_EQ(points.back(), cv::Vec4f(5.634f, -1.395f, -2.59f, 0));
}

TEST(ReadVelodyne, ReadsLittleEndianFloats) {
  const TempFolder folder;
  // struct.pack("<4f", 1, -2, 0.5, 0.25)
  const auto file = folder.write("a.bin", bytes_from_hex("0000803f000000c00000003f0000803e"));
  EXPECT_THAT(read_velodyne(file), ElementsAre(cv::Vec4f(1, -2, 0.5f, 0.25f)));
}

TEST(ReadVelodyne, GivesBackWhatWriteVelodyneWrote) {
  const TempFolder folder;
  const std::vector<cv::Vec4f> points = {{1, 2, 3, 0}, {-4, 5.5f, -6, 1}};
  write_velodyne(folder / "a.bin", points);
  EXPECT_EQ(read_velodyne(folder / "a.bin"), points);
}

TEST(ReadVelodyne, LengthThatIsNoMultipleOf16IsRefused) {
  const TempFolder folder;
  const auto file = folder.write("cut.bin", std::string(16 * 5 - 3, '\0'));
  EXPECT_THAT([&] { read_velodyne(file); },
              ThrowsMessage<Error>(AllOf(HasSubstr(file.string()),
                                         HasSubstr("expected a multiple of 16 bytes"),
                                         HasSubstr("got 77 bytes"))));
  EXPECT_THAT([&] { read_velodyne(folder.write("empty.bin", "")); },
              ThrowsMessage<Error>(HasSubstr("got 0 bytes")));
}

TEST(ReadVelodyne, CoordinateThatIsNotFiniteIsRefused) {
  const TempFolder folder;
  write_velodyne(folder / "a.bin",
                 {{1, 2, 3, 0}, {1, std::numeric_limits<float>::quiet_NaN(), 3, 0}});
  EXPECT_THAT(
      [&] { read_velodyne(folder / "a.bin"); },
      ThrowsMessage<Error>(HasSubstr("expected finite coordinates, got others at point 1")));
}

TEST(ReadVelodyne, MissingFileIsNamed) {
  EXPECT_THAT([] { read_velodyne("no/such.bin"); }, ThrowsMessage<Error>(HasSubstr("no/such.bin")));
}

}  // namespace
}  // namespace dualdepth
