#include "dualdepth/io/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "testing/hex.h"
#include "testing/shared_data.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using testing::bytes_from_hex;
using ::testing::HasSubstr;
using testing::shared_path;
using testing::TempFolder;
using ::testing::ThrowsMessage;

constexpr const char* kJpegFrame =
    "kitti_mini/raw/2011_09_26/2011_09_26_drive_0001_sync/image_02/data/0000000005.jpg";
constexpr const char* kPngFrame =
    "kitti_mini/raw/2011_09_26/2011_09_26_drive_0005_sync/image_02/data/0000000000.png";
constexpr const char* kDepthFrame =
    "kitti_mini/depth/val/2011_09_26_drive_0018_sync/proj_depth/groundtruth/image_02/"
    "0000000046.png";

// PIL wrote it from [[0, 1, 256], [2560, 65535, 20480]].
const std::string kDepthPng = bytes_from_hex(
    "89504e470d0a1a0a0000000d4948445200000003000000021000000000e88fe585"
    "0000001649444154789c6360606060646460e062f8ff3f80010007f6025bc477fbc8"
    "0000000049454e44ae426082");

// PIL wrote it: grey 77, 40x32, with an EXIF mark that asks to turn the picture by 90 degrees.
const std::string kGreyJpeg = bytes_from_hex(
    "ffd8ffe000104a46494600010100000100010000ffe100224578696600004d4d002a00000008000101120003000000"
    "010006000000000000ffdb0043000302020302020303030304030304050805050404050a070706080c0a0c0c0b0a0b"
    "0b0d0e12100d0e110e0b0b1016101113141515150c0f171816141812141514ffc0000b080020002801011100ffc400"
    "1f0000010501010101010100000000000000000102030405060708090a0bffc400b510000201030302040305050404"
    "0000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a16171819"
    "1a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a83"
    "8485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5"
    "d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffda0008010100003f00f9de8a28a28a28a28a28a28a"
    "28a28a28afffd9");

cv::Mat noise(int rows, int cols) {
  cv::Mat picture(rows, cols, CV_8UC3);
  cv::RNG random(5);
  random.fill(picture, cv::RNG::UNIFORM, 0, 256);
  return picture;
}

TEST(ReadRgb, DecodesARealJpegAsPilDoes) {
  DUALDEPTH_NEEDS_SHARED(kJpegFrame);
  const cv::Mat rgb = read_rgb(shared_path(kJpegFrame));
  ASSERT_EQ(rgb.size(), cv::Size(1242, 375));
  // PIL 13.0: np.array(Image.open(file)), pixels [100, 200] and [374, 1241], and the sum.
  EXPECT_EQ(rgb.at<cv::Vec3b>(100, 200), cv::Vec3b(16, 22, 38));
  EXPECT_EQ(rgb.at<cv::Vec3b>(374, 1241), cv::Vec3b(85, 66, 51));
  EXPECT_EQ(cv::sum(rgb), cv::Scalar(42710327, 42005348, 39554639));
}

TEST(ReadRgb, DecodesARealPngAsPilDoes) {
  DUALDEPTH_NEEDS_SHARED(kPngFrame);
  const cv::Mat rgb = read_rgb(shared_path(kPngFrame));
  ASSERT_EQ(rgb.size(), cv::Size(1242, 375));
  // PIL 13.0, as above.
  EXPECT_EQ(rgb.at<cv::Vec3b>(100, 200), cv::Vec3b(98, 85, 100));
  EXPECT_EQ(rgb.at<cv::Vec3b>(374, 1241), cv::Vec3b(83, 96, 124));
  EXPECT_EQ(cv::sum(rgb), cv::Scalar(39555646, 41513930, 48645143));
}

TEST(ReadRgb, MakesGreyRgbAndDoesNotTurnByExif) {
  const TempFolder folder;
  const cv::Mat rgb = read_rgb(folder.write("grey.jpg", kGreyJpeg));
  ASSERT_EQ(rgb.size(), cv::Size(40, 32));
  EXPECT_EQ(cv::norm(rgb, cv::Mat(32, 40, CV_8UC3, cv::Scalar::all(77)), cv::NORM_INF), 0);
}

TEST(ReadRgb, GivesBackWhatWriteRgbWrote) {
  const TempFolder folder;
  const cv::Mat rgb = noise(33, 40);
  write_rgb(folder / "a.png", rgb);
  EXPECT_EQ(cv::norm(read_rgb(folder / "a.png"), rgb, cv::NORM_INF), 0);
}

TEST(ReadRgb, TellsTheFormatFromTheContentNotTheName) {
  const TempFolder folder;
  EXPECT_EQ(read_rgb(folder.write("grey.png", kGreyJpeg)).size(), cv::Size(40, 32));
}

TEST(ReadRgb, MissingFileIsNamed) {
  EXPECT_THAT([] { read_rgb("no/such.png"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("no/such.png"), HasSubstr("No such file"))));
}

TEST(ReadRgb, FileOfAnotherFormatIsRefused) {
  const TempFolder folder;
  EXPECT_THAT([&] { read_rgb(folder.write("a.png", "GIF89a...")); },
              ThrowsMessage<Error>(HasSubstr("expected a PNG or JPEG picture")));
  EXPECT_THAT([&] { read_rgb(folder.write("b.png", "")); },
              ThrowsMessage<Error>(HasSubstr("got an empty file")));
}

TEST(ReadRgb, PictureBelow32PixelsIsRefusedWithItsSize) {
  const TempFolder folder;
  write_rgb(folder / "low.png", noise(31, 40));
  write_rgb(folder / "narrow.jpg", noise(40, 31));
  EXPECT_THAT([&] { read_rgb(folder / "low.png"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("low.png"), HasSubstr("at least 32x32"),
                                         HasSubstr("got 40x31"))));
  EXPECT_THAT([&] { read_rgb(folder / "narrow.jpg"); },
              ThrowsMessage<Error>(HasSubstr("got 31x40")));
}

TEST(ReadRgb, HeaderThatClaimsAHugePictureIsRefused) {
  const TempFolder folder;
  // A whole PNG of 20000x40, written with Python's zlib, that holds one byte of pixels.
  const auto file = folder.write(
      "huge.png",
      bytes_from_hex("89504e470d0a1a0a0000000d4948445200004e2000000028080200000094755d270000000949"
                     "444154789c630000000100015eff7df90000000049454e44ae426082"));
  EXPECT_THAT([&] { read_rgb(file); },
              ThrowsMessage<Error>(
                  AllOf(HasSubstr("at most 16384 pixels a side"), HasSubstr("got 20000x40"))));
}

TEST(ReadRgb, TruncatedPictureIsOneErrorAndNothingElseIsPrinted) {
  const TempFolder folder;
  for (const char* name : {"whole.png", "whole.jpg"}) {
    write_rgb(folder / name, noise(64, 64));
    const std::string whole = read_file(folder / name);
    for (const size_t length : {size_t{8}, size_t{40}, whole.size() / 2, whole.size() - 12}) {
      const auto cut = folder.write(std::string("cut-") + name, whole.substr(0, length));
      ::testing::internal::CaptureStderr();
      EXPECT_THAT([&] { read_rgb(cut); },
                  ThrowsMessage<Error>(AllOf(HasSubstr(cut.string()), HasSubstr("truncated"))))
          << "after " << length << " bytes of " << whole.size();
      EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
    }
  }
}

TEST(ReadRgbReduced, HalvesAJpegAsOftenAsItStaysLargeEnough) {
  DUALDEPTH_NEEDS_SHARED(kJpegFrame);
  const cv::Mat rgb = read_rgb_reduced(shared_path(kJpegFrame), {320, 90});
  ASSERT_EQ(rgb.size(), cv::Size(621, 188));                     // 1242 / 2 and 375 / 2, rounded up
  const cv::Scalar whole_mean(91.702259, 90.188616, 84.926761);  // PIL 13.0 and NumPy, full size
  EXPECT_LT(cv::norm(cv::mean(rgb) - whole_mean, cv::NORM_INF), 0.5);
}

TEST(ReadRgbReduced, NeverGoesBelowTheWantedSizeAndLeavesPngWhole) {
  const TempFolder folder;
  write_rgb(folder / "a.jpg", noise(64, 128));
  write_rgb(folder / "a.png", noise(64, 128));
  EXPECT_EQ(read_rgb_reduced(folder / "a.jpg", {64, 32}).size(), cv::Size(64, 32));
  EXPECT_EQ(read_rgb_reduced(folder / "a.jpg", {64, 33}).size(), cv::Size(128, 64));
  EXPECT_EQ(read_rgb_reduced(folder / "a.jpg", {20, 10}).size(), cv::Size(32, 16));
  EXPECT_EQ(read_rgb_reduced(folder / "a.jpg", {999, 999}).size(), cv::Size(128, 64));
  EXPECT_EQ(read_rgb_reduced(folder / "a.png", {20, 10}).size(), cv::Size(128, 64));
}

TEST(ReadImageSize, ReadsOnlyTheHeader) {
  const TempFolder folder;
  write_rgb(folder / "whole.png", noise(64, 50));
  const std::string whole = read_file(folder / "whole.png");
  EXPECT_EQ(read_image_size(folder.write("cut.png", whole.substr(0, 200))), cv::Size(50, 64));
  EXPECT_EQ(read_image_size(folder.write("grey.jpg", kGreyJpeg)), cv::Size(40, 32));
}

TEST(ReadDepthPng, GivesMetresAndZeroForNone) {
  const TempFolder folder;
  const cv::Mat depth = read_depth_png(folder.write("depth.png", kDepthPng));
  const cv::Mat expected = (cv::Mat_<float>(2, 3) << 0, 1 / 256.f, 1, 10, 65535 / 256.f, 80);
  ASSERT_EQ(depth.size(), expected.size());
  EXPECT_EQ(cv::norm(depth, expected, cv::NORM_INF), 0);
}

TEST(ReadDepthPng, ReadsARealFrameAsPilDoes) {
  DUALDEPTH_NEEDS_SHARED(kDepthFrame);
  const cv::Mat depth = read_depth_png(shared_path(kDepthFrame));
  ASSERT_EQ(depth.size(), cv::Size(1242, 375));
  // PIL 13.0: (a > 0).sum(), a.sum(), a.max(), and a[126, 342] / 256, the first value.
  EXPECT_EQ(cv::countNonZero(depth), 68907);
  EXPECT_EQ(cv::sum(depth)[0], 271157979 / 256.0);
  double largest = 0;
  cv::minMaxLoc(depth, nullptr, &largest);
  EXPECT_EQ(largest, 20201 / 256.0);
  EXPECT_EQ(depth.at<float>(126, 342), 6.7109375f);
}

TEST(ReadDepthPng, EightBitPngIsRefused) {
  const TempFolder folder;
  // Python's zlib wrote it: 3x2, 8-bit grey.
  const auto grey = folder.write(
      "depth8.png",
      bytes_from_hex("89504e470d0a1a0a0000000d4948445200000003000000020800000000b81f39c60000001049"
                     "444154789c636064626660616503000046001677f5c87f0000000049454e44ae426082"));
  EXPECT_THAT([&] { read_depth_png(grey); },
              ThrowsMessage<Error>(AllOf(HasSubstr("depth8.png"), HasSubstr("16-bit grey PNG"),
                                         HasSubstr("got 8-bit grey"))));
}

TEST(ReadDepthPng, ColourAndJpegAreRefused) {
  const TempFolder folder;
  write_rgb(folder / "rgb.png", noise(32, 32));
  EXPECT_THAT([&] { read_depth_png(folder / "rgb.png"); },
              ThrowsMessage<Error>(HasSubstr("got 8-bit colour")));
  EXPECT_THAT([&] { read_depth_png(folder.write("depth.jpg", kGreyJpeg)); },
              ThrowsMessage<Error>(HasSubstr("got a JPEG")));
}

TEST(ReadDepthPng, AnyDamagedByteIsFound) {
  const TempFolder folder;
  for (size_t i = 0; i < kDepthPng.size(); ++i) {
    std::string damaged = kDepthPng;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_THROW(read_depth_png(folder.write("depth.png", damaged)), Error) << "byte " << i;
  }
}

TEST(ReadDepthPng, AnyMissingByteIsFound) {
  const TempFolder folder;
  const size_t end_mark = kDepthPng.size() - 4;  // what follows is only the end mark's checksum
  for (size_t length = 0; length < end_mark; ++length) {
    const auto cut = folder.write("depth.png", kDepthPng.substr(0, length));
    EXPECT_THROW(read_depth_png(cut), Error) << "cut after " << length;
  }
}

TEST(WriteDepthPng, RoundsClampsAndDropsWhatIsNoDepth) {
  const TempFolder folder;
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const cv::Mat depth =
      (cv::Mat_<float>(2, 4) << kNan, kInfinity, -1, 0, 1e9f, 255.999f, 10 + 0.7f / 256, 1.25f);
  write_depth_png(folder / "depth.png", depth);
  const cv::Mat expected =
      (cv::Mat_<float>(2, 4) << 0, 0, 0, 0, 65535 / 256.f, 65535 / 256.f, 2561 / 256.f, 1.25f);
  EXPECT_EQ(cv::norm(read_depth_png(folder / "depth.png"), expected, cv::NORM_INF), 0);
}

TEST(WriteRgb, NameOfAnotherFormatIsRefused) {
  const TempFolder folder;
  EXPECT_THAT([&] { write_rgb(folder / "a.bmp", noise(32, 32)); },
              ThrowsMessage<Error>(AllOf(HasSubstr(".png, .jpg or .jpeg"), HasSubstr("got .bmp"))));
}

TEST(WriteRgb, MissingFolderIsAnErrorThatNamesTheFile) {
  const TempFolder folder;
  EXPECT_THAT([&] { write_rgb(folder / "none/a.png", noise(32, 32)); },
              ThrowsMessage<Error>(HasSubstr("none/a.png")));
}

TEST(ColorizeDepth, NearIsRedFarIsBlueNoneIsBlack) {
  const cv::Mat depth = (cv::Mat_<float>(1, 6) << 2.5f, 80, 0.5f, 100, 0, std::nanf(""));
  const cv::Mat rgb = colorize_depth(depth, 80);
  // Ends of the turbo table as published (Mikhailov, 2019): 0.18995 0.07176 0.23217 and
  // 0.47960 0.01583 0.01055, times 255.
  const cv::Vec3b near(122, 4, 3), far(48, 18, 59), black(0, 0, 0);
  EXPECT_EQ(rgb.at<cv::Vec3b>(0), near);
  EXPECT_EQ(rgb.at<cv::Vec3b>(1), far);
  EXPECT_EQ(rgb.at<cv::Vec3b>(2), near);
  EXPECT_EQ(rgb.at<cv::Vec3b>(3), far);
  EXPECT_EQ(rgb.at<cv::Vec3b>(4), black);
  EXPECT_EQ(rgb.at<cv::Vec3b>(5), black);
}

TEST(ColorizeDepth, EqualRatiosOfDepthAreEqualStepsOfColor) {
  // Entry 128 of the turbo table as published (0.64362 0.98999 0.23356, times 255) lies 128/255 of
  // five octaves below the farthest depth.
  const cv::Vec3b middle(164, 252, 60);
  const cv::Mat near_field(1, 1, CV_32FC1, cv::Scalar(2.6337)),
      road(1, 1, CV_32FC1, cv::Scalar(14.0464));
  EXPECT_EQ(colorize_depth(near_field, 15).at<cv::Vec3b>(0), middle);
  EXPECT_EQ(colorize_depth(road, 80).at<cv::Vec3b>(0), middle);
}

TEST(DepthColorScale, RunsFromRedToBlueAboveItsLabels) {
  const cv::Mat scale = depth_color_scale(640, 80);
  ASSERT_EQ(scale.cols, 640);
  EXPECT_EQ(scale.at<cv::Vec3b>(0, 0), cv::Vec3b(122, 4, 3));
  EXPECT_EQ(scale.at<cv::Vec3b>(0, 639), cv::Vec3b(48, 18, 59));
  cv::Mat labels;
  cv::extractChannel(scale.rowRange(12, scale.rows), labels, 0);
  EXPECT_GT(cv::countNonZero(labels > 128), 100);
}

// The ends of the map "plasma" as its authors (van der Walt and Smith, 2015) list them: #0d0887 and
// #f0f921. Its middle, at 100 mm of 1 mm to 10 m and at half of 25 %, is #cc4778.
TEST(ColorizeDifference, IsLogarithmicFromOneMillimetreToTenMetres) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const cv::Mat difference = (cv::Mat_<float>(1, 6) << 0, 0.001F, 0.1F, 10, 50, nan);
  const cv::Mat rgb = colorize_difference(difference);
  const std::vector<cv::Vec3i> expected{{13, 8, 135},   {13, 8, 135},   {204, 71, 120},
                                        {240, 249, 33}, {240, 249, 33}, {0, 0, 0}};
  for (int x = 0; x < rgb.cols; ++x) {
    for (int channel = 0; channel < 3; ++channel) {
      EXPECT_NEAR(rgb.at<cv::Vec3b>(x)[channel], expected[static_cast<size_t>(x)][channel], 2) << x;
    }
  }
}

TEST(ColorizeRelativeError, IsEvenFromZeroToAQuarter) {
  const cv::Mat error = (cv::Mat_<float>(1, 3) << 0, 0.125F, 0.3F);
  const cv::Mat rgb = colorize_relative_error(error);
  const std::vector<cv::Vec3i> expected{{13, 8, 135}, {204, 71, 120}, {240, 249, 33}};
  for (int x = 0; x < rgb.cols; ++x) {
    for (int channel = 0; channel < 3; ++channel) {
      EXPECT_NEAR(rgb.at<cv::Vec3b>(x)[channel], expected[static_cast<size_t>(x)][channel], 2) << x;
    }
  }
}

TEST(ColorizeError, GoesFromBlackThroughRedToWhite) {
  const cv::Mat error = (cv::Mat_<float>(1, 4) << 0, -1.5f, 9, 0.5f);
  const cv::Mat rgb = colorize_error(error);
  EXPECT_EQ(rgb.at<cv::Vec3b>(0), cv::Vec3b(0, 0, 0));
  EXPECT_EQ(rgb.at<cv::Vec3b>(1), cv::Vec3b(255, 255, 255));
  EXPECT_EQ(rgb.at<cv::Vec3b>(2), cv::Vec3b(255, 255, 255));
  const cv::Vec3b& third = rgb.at<cv::Vec3b>(3);
  EXPECT_GT(third[0], 200);
  EXPECT_LT(third[1], 40);
  EXPECT_EQ(third[2], 0);
}

}  // namespace
}  // namespace dualdepth
