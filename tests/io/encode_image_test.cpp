#include "dualdepth/io/encode_image.h"

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace dualdepth {
namespace {

cv::Mat random_picture(int type, cv::Size size = {37, 23}) {
  cv::Mat picture(size, type);
  cv::theRNG().state = 5;
  const double end = CV_MAT_DEPTH(type) == CV_16U ? 65536 : 256;
  cv::randu(picture, cv::Scalar::all(0), cv::Scalar::all(end));
  return picture;
}

// By OpenCV's decoders, in OpenCV's order of colours.
cv::Mat decode(const std::string& file) {
  return cv::imdecode(std::vector<char>(file.begin(), file.end()), cv::IMREAD_UNCHANGED);
}

TEST(EncodePng, IsReadByOpenCvBitForBit) {
  for (const int type : {CV_8UC1, CV_8UC3, CV_8UC4, CV_16UC1}) {
    const cv::Mat picture = random_picture(type);
    cv::Mat expected = picture.clone();
    if (type == CV_8UC3) cv::cvtColor(picture, expected, cv::COLOR_RGB2BGR);
    if (type == CV_8UC4) cv::cvtColor(picture, expected, cv::COLOR_RGBA2BGRA);
    const cv::Mat read = decode(encode_png(picture));
    ASSERT_EQ(read.type(), type);
    EXPECT_EQ(cv::norm(read, expected, cv::NORM_INF), 0) << type;
  }
}

TEST(EncodePng, TakesPartOfALargerPicture) {
  const cv::Mat part = random_picture(CV_16UC1)({3, 4, 20, 11});
  EXPECT_EQ(cv::norm(decode(encode_png(part)), part, cv::NORM_INF), 0);
}

// A smooth picture: what JPEG loses are a few grey levels.
TEST(EncodeJpeg, IsReadByOpenCvWithTheSameColours) {
  cv::Mat picture;
  cv::resize(random_picture(CV_8UC3, {5, 4}), picture, {80, 64}, 0, 0, cv::INTER_CUBIC);
  cv::Mat expected;
  cv::cvtColor(picture, expected, cv::COLOR_RGB2BGR);
  for (const bool part : {false, true}) {
    const cv::Rect region = part ? cv::Rect(7, 9, 48, 33) : cv::Rect({}, picture.size());
    const cv::Mat read = decode(encode_jpeg(picture(region)));
    ASSERT_EQ(read.size(), region.size());
    EXPECT_LT(cv::norm(read, expected(region), cv::NORM_L1) / (3.0 * region.area()), 2);
  }
  cv::Mat grey;
  cv::cvtColor(picture, grey, cv::COLOR_RGB2GRAY);
  const cv::Mat read = decode(encode_jpeg(grey));
  ASSERT_EQ(read.type(), CV_8UC1);
  EXPECT_LT(cv::norm(read, grey, cv::NORM_L1) / grey.total(), 2);
}

TEST(EncodeJpeg, ALowerQualityIsASmallerFile) {
  const cv::Mat picture = random_picture(CV_8UC3);
  EXPECT_LT(encode_jpeg(picture, 50).size(), encode_jpeg(picture, 90).size());
}

}  // namespace
}  // namespace dualdepth
