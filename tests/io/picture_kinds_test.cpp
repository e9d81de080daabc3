#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/io/image.h"
#include "testing/hex.h"
#include "testing/temp_folder.h"

// Printed by picture_kinds.py.
namespace dualdepth {
namespace {

using ::testing::AllOf;
using testing::bytes_from_hex;
using ::testing::HasSubstr;
using testing::TempFolder;
using ::testing::ThrowsMessage;

struct PictureKind {
  const char* name;
  const char* digits;
  std::array<uchar, 3> left, right;
};

void PrintTo(const PictureKind& value, std::ostream* out) { *out << value.name; }

class ReadRgbOfKind : public ::testing::TestWithParam<PictureKind> {};

TEST_P(ReadRgbOfKind, GivesEightBitRgbWithoutAlpha) {
  const TempFolder folder;
  const cv::Mat rgb = read_rgb(folder.write("a.png", bytes_from_hex(GetParam().digits)));
  ASSERT_EQ(rgb.size(), cv::Size(32, 32));
  ASSERT_EQ(rgb.type(), CV_8UC3);
  cv::Mat expected(32, 32, CV_8UC3);
  expected.colRange(0, 16).setTo(cv::Vec3b(GetParam().left.data()));
  expected.colRange(16, 32).setTo(cv::Vec3b(GetParam().right.data()));
  EXPECT_EQ(cv::norm(rgb, expected, cv::NORM_INF), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Png, ReadRgbOfKind,
    ::testing::Values(
        PictureKind{"Palette",
                    "89504e470d0a1a0a0000000d494844520000002000000020010300000049b4e8b700000006504c"
                    "5445c86432"
                    "0a141eb77aab51000000134944415478da636460f8cfc0c4c0c030480900b103013f60942a8a00"
                    "0000004945"
                    "4e44ae426082",
                    {200, 100, 50},
                    {10, 20, 30}},
        PictureKind{"RgbAlpha",
                    "89504e470d0a1a0a0000000d4948445200000020000000200806000000737a7af4000000424944"
                    "415478da63"
                    "3c9162c4400970daf08622fd4c0c030c461d30ea8051078c3a60d401a30e1875000b030343c368"
                    "148c3a60d4"
                    "01a30e1875c0a803461d30a21d0000d70b03fe0e1015010000000049454e44ae426082",
                    {200, 100, 50},
                    {10, 20, 30}},
        PictureKind{
            "Grey",
            "89504e470d0a1a0a0000000d4948445200000020000000200800000000561125280000001c4944415478da"
            "63"
            "3cc1800a9cd0f84c0c04c0a8825105a30a86ab0200cc72014ab47b9df00000000049454e44ae426082",
            {200, 200, 200},
            {10, 10, 10}},
        PictureKind{"GreyAlpha",
                    "89504e470d0a1a0a0000000d4948445200000020000000200804000000d973b27f0000002e4944"
                    "415478da63"
                    "3cc1801f3811906762a0108c1a306ac0a80183c500168686d1401c3560d4805103181818181800"
                    "83db01cc93"
                    "cd5d8d0000000049454e44ae426082",
                    {200, 200, 200},
                    {10, 10, 10}},
        PictureKind{
            "Rgb16Bits",
            "89504e470d0a1a0a0000000d4948445200000020000000201002000000ac8831e000000046494441"
            "5478daedcfa101001010004059960df15936846c1c8319c7086610b42bd72fed33578c7fe628adf6"
            "7f260101010101010101010101010101010101010101010181572f1fc94879a89094730000000049"
            "454e44ae426082",
            {200, 100, 50},
            {10, 20, 30}},
        PictureKind{"Interlaced",
                    "89504e470d0a1a0a0000000d49484452000000200000002008020000018b1fdd35000000394944"
                    "415478da63"
                    "38916204445c227240c440730eb2d0a8043112b8148d6a18d530aa6154c360d040aa41a3168c5a"
                    "306ac1a805"
                    "a3160c690b00f29a342ea1a7f3cf0000000049454e44ae426082",
                    {200, 100, 50},
                    {10, 20, 30}}),
    [](const auto& info) { return info.param.name; });

TEST(ReadRgb, CmykJpegIsRefused) {
  const TempFolder folder;
  const auto file = folder.write(
      "cmyk.jpg",
      bytes_from_hex(
          "ffd8ffee000e41646f626500640000000000ffdb004300100b0c0e0c0a100e0d0e1211101318281a18161618"
          "3123251d283a333d3c3933383740485c4e404457453738506d51575f626768673e4d71797064785c656763ff"
          "c000140800200020044311004d11005911004b1100ffc4001700010101010000000000000000000000000006"
          "0407ffc40014100100000000000000000000000000000000ffda000e0443004d0059004b00003f00a4614c3a"
          "00039025d940075f5435000e409765001d7d50d40039025d940075f5435000e409765001ffd9"));
  EXPECT_THAT([&] { read_rgb(file); },
              ThrowsMessage<Error>(AllOf(HasSubstr("cmyk.jpg"), HasSubstr("got one in CMYK"))));
}

TEST(ReadRgb, JpegHeaderThatClaimsAHugePictureIsRefused) {
  const TempFolder folder;
  write_rgb(folder / "a.jpg", cv::Mat(40, 32, CV_8UC3, cv::Scalar::all(9)));
  std::string jpeg = read_file(folder / "a.jpg");
  const size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  ASSERT_EQ(jpeg.substr(frame + 5, 4), std::string("\0\x28\0\x20", 4)) << "height, width";
  jpeg.replace(frame + 5, 4, "\xfd\xe8\xfd\xe8");
  const auto file = folder.write("huge.jpg", jpeg);
  EXPECT_THAT([&] { read_rgb(file); },
              ThrowsMessage<Error>(
                  AllOf(HasSubstr("at most 16384 pixels a side"), HasSubstr("got 65000x65000"))));
  EXPECT_THAT([&] { read_image_size(file); }, ThrowsMessage<Error>(HasSubstr("65000x65000")));
}

TEST(ReadRgb, AnyDamagedByteOfAPngIsFound) {
  const TempFolder folder;
  const std::string whole = bytes_from_hex(
      "89504e470d0a1a0a0000000d49484452000000200000002008020000018b1fdd35000000394944415478da63"
      "38916204445c227240c440730eb2d0a8043112b8148d6a18d530aa6154c360d040aa41a3168c5a306ac1a805"
      "a3160c690b00f29a342ea1a7f3cf0000000049454e44ae426082");
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_THROW(read_rgb(folder.write("a.png", damaged)), Error) << "byte " << i;
  }
}

// The end mark is there, but not all data before it: libjpeg warns and paints the rest grey.
TEST(ReadRgb, JpegWhoseDataEndEarlyIsRefused) {
  const TempFolder folder;
  cv::Mat noise(64, 64, CV_8UC3);
  cv::RNG(5).fill(noise, cv::RNG::UNIFORM, 0, 256);
  write_rgb(folder / "a.jpg", noise);
  const std::string jpeg = read_file(folder / "a.jpg");
  constexpr size_t kEndMark = 2;
  for (const double kept : {0.3, 0.5, 0.7, 0.9}) {
    std::string early =
        jpeg.substr(0, static_cast<size_t>(kept * static_cast<double>(jpeg.size())));
    if (early.back() == '\xff') early.pop_back();  // would begin a marker
    early += jpeg.substr(jpeg.size() - kEndMark);
    EXPECT_THAT([&] { read_rgb(folder.write("early.jpg", early)); },
                ThrowsMessage<Error>(HasSubstr("truncated or damaged")))
        << kept;
  }
}

}  // namespace
}  // namespace dualdepth
