#include "dualdepth/data/kitti_split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class KittiSplit : public ::testing::Test {
 protected:
  std::vector<KittiSplitEntry> read(std::string_view text) const {
    return read_kitti_split(folder_.write("split.txt", text));
  }

  testing::TempFolder folder_;
};

TEST_F(KittiSplit, ReadsMonodepth2LinesWithAndWithoutPadding) {
  const auto entries = read(
      "2011_09_26/2011_09_26_drive_0022_sync 473 r\n"
      "2011_09_26/2011_09_26_drive_0002_sync 0000000069 l\n");
  ASSERT_EQ(entries.size(), 2);
  EXPECT_EQ(entries[0].frame->id(), "2011_09_26/2011_09_26_drive_0022_sync/image_03/0000000473");
  EXPECT_EQ(entries[1].frame->id(), "2011_09_26/2011_09_26_drive_0002_sync/image_02/0000000069");
  EXPECT_FALSE(entries[0].depth);
}

TEST_F(KittiSplit, ReadsBtsLinesWithDepthAndWithNone) {
  const auto entries = read(
      "2011_09_26/2011_09_26_drive_0002_sync/image_02/data/0000000069.png "
      "2011_09_26_drive_0002_sync/proj_depth/groundtruth/image_02/0000000069.png 721.5377\n"
      "2011_09_26/2011_09_26_drive_0002_sync/image_02/data/0000000001.png None 721.5377\n");
  ASSERT_EQ(entries.size(), 2);
  EXPECT_EQ(entries[0].frame->id(), "2011_09_26/2011_09_26_drive_0002_sync/image_02/0000000069");
  EXPECT_EQ(entries[0].depth,
            "2011_09_26_drive_0002_sync/proj_depth/groundtruth/image_02/0000000069.png");
  EXPECT_FALSE(entries[0].without_depth);
  EXPECT_FALSE(entries[1].depth);
  EXPECT_TRUE(entries[1].without_depth);
}

TEST_F(KittiSplit, ReadsBarePicturePaths) {
  const auto entries = read(
      "2011_09_26/2011_09_26_drive_0002_sync/image_03/data/0000000069.jpg\n"
      "image/0000000007.png\n");
  ASSERT_EQ(entries.size(), 2);
  EXPECT_EQ(entries[0].frame->id(), "2011_09_26/2011_09_26_drive_0002_sync/image_03/0000000069");
  EXPECT_FALSE(entries[1].frame);
  EXPECT_EQ(entries[1].picture, "image/0000000007.png");
}

TEST_F(KittiSplit, TellsMixedKindsApartAndKeepsLineNumbersOverBlankLines) {
  const auto entries = read("\r\na/b 1 l\r\n\n  \nimage/0.png\r\n");
  ASSERT_EQ(entries.size(), 2);
  EXPECT_EQ(entries[0].line, 2);
  EXPECT_EQ(entries[0].frame->drive, "b");
  EXPECT_EQ(entries[1].line, 5);
}

TEST_F(KittiSplit, LineOfNoKnownKindNamesFileAndLine) {
  for (const std::string line :
       {"2011_09_26/2011_09_26_drive_0001_sync 5", "2011_09_26/drive 5 x", "drive 5 l",
        "date/drive 5a l", "picture.png None", "picture.png depth.png focal", "notes.txt",
        "a/b/c 5 l", "date/drive 00000000005 l"}) {
    EXPECT_THAT([&] { read("image/0.png\n" + line + "\n"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("split.txt:2: expected"), HasSubstr(line))))
        << line;
  }
}

TEST_F(KittiSplit, EmptySplitIsAnErrorThatNamesTheFile) {
  EXPECT_THAT([&] { read(""); }, ThrowsMessage<Error>(HasSubstr("split.txt: expected")));
  EXPECT_THAT([&] { read("\n \n"); }, ThrowsMessage<Error>(HasSubstr("no line with text")));
}

TEST_F(KittiSplit, MissingSplitIsAnErrorThatNamesTheFile) {
  EXPECT_THAT([&] { read_kitti_split(folder_ / "absent.txt"); },
              ThrowsMessage<Error>(HasSubstr("absent.txt")));
}

TEST(KittiSelectionName, GivesTheFrameOfABenchmarkPicture) {
  const auto frame = parse_selection_name("2011_10_03_drive_0047_sync_image_0000000383_image_03");
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->id(), "2011_10_03/2011_10_03_drive_0047_sync/image_03/0000000383");
  EXPECT_FALSE(parse_selection_name("0000000383"));
}

}  // namespace
}  // namespace dualdepth
