#include "dualdepth/io/grey16_png.h"

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/io/image.h"
#include "testing/hex.h"
#include "testing/shared_data.h"

namespace dualdepth {
namespace {

using testing::bytes_from_hex;

constexpr int kMaxSide = 100;

// 5x7 pixels of (7919 y + 1237 x^2 + 331 x y) mod 65536, written byte by byte in Python from the
// PNG specification: the rows have the filters 3, 4, 0, 1, 2, 3, 4, the data lies in two chunks, a
// text chunk before them. PIL 13.0 reads it as that formula.
const std::string kAllFilters = bytes_from_hex(
    "89504e470d0a1a0a0000000d4948445200000005000000071000000000b55c0471000000077445587462790068616e"
    "648a5dbc2b000000094944415478da63666060b92af8adf3f3a20000004d494441544a29d8428845ee3dbb02ff29a9"
    "12653906db7bae9e617185b253db1863ce726e134a90e152dbc224ff5ec14aa955f9828a3473acaf98b3b49de20e35"
    "6316f9f7bc56628e0aaf55520147db15f00a4875f40000000049454e44ae426082");

std::optional<cv::Mat> decode(const std::string& file, int max_side = kMaxSide) {
  return decode_grey16_png(std::as_bytes(std::span(file)), max_side);
}

TEST(DecodeGrey16Png, UndoesEveryFilter) {
  const auto image = decode(kAllFilters);
  ASSERT_TRUE(image);
  ASSERT_EQ(image->size(), cv::Size(5, 7));
  for (int y = 0; y < 7; ++y) {
    for (int x = 0; x < 5; ++x) {
      EXPECT_EQ(image->at<uint16_t>(y, x), (7919 * y + 1237 * x * x + 331 * x * y) % 65536);
    }
  }
}

TEST(DecodeGrey16Png, TakesNothingThatIsDamagedOrCut) {
  for (size_t i = 0; i < kAllFilters.size(); ++i) {
    std::string damaged = kAllFilters;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x01);
    EXPECT_FALSE(decode(damaged)) << "byte " << i;
    EXPECT_FALSE(decode(kAllFilters.substr(0, i))) << "cut after " << i;
  }
}

TEST(DecodeGrey16Png, TakesNoPictureAboveTheLimit) {
  EXPECT_TRUE(decode(kAllFilters, 7));
  EXPECT_FALSE(decode(kAllFilters, 6));
}

TEST(DecodeGrey16Png, LeavesOtherKindsToTheGeneralDecoder) {
  EXPECT_FALSE(decode(""));
  EXPECT_FALSE(decode(bytes_from_hex(  // PIL wrote it: 8-bit grey, 2x1
      "89504e470d0a1a0a0000000d4948445200000002000000010800000000d14920560000000b49444154789c636060"
      "000000030001b8ad3a630000000049454e44ae426082")));
}

TEST(DecodeGrey16Png, TakesTheRealDepthMaps) {
  DUALDEPTH_NEEDS_SHARED("kitti_mini");
  for (const char* name :
       {"train/2011_09_26_drive_0001_sync/proj_depth/groundtruth/image_02/0000000005.png",
        "train/2011_09_26_drive_0013_sync/proj_depth/groundtruth/image_02/0000000010.png"}) {
    const std::string file =
        read_file(testing::shared_path(std::filesystem::path("kitti_mini/depth") / name));
    const auto image = decode(file, kMaxPictureSide);
    ASSERT_TRUE(image) << name;
    EXPECT_EQ(image->size(), cv::Size(1242, 375));
    const std::vector<uchar> bytes(file.begin(), file.end());
    const cv::Mat reference = cv::imdecode(bytes, cv::IMREAD_UNCHANGED);  // by libpng
    ASSERT_EQ(reference.type(), CV_16UC1);
    EXPECT_EQ(cv::norm(*image, reference, cv::NORM_INF), 0) << name;
  }
}

}  // namespace
}  // namespace dualdepth
