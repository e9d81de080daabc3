#include "dualdepth/metrics/flip_average.h"

#include <gtest/gtest.h>

namespace dualdepth {
namespace {

// 101 columns: x = column / 100. m = 1 up to x = .05, .5 at .075, 0 from .1 on.
TEST(FlipAverage, TakesTheMirroredAtTheLeftTheDirectAtTheRightAndTheMeanBetween) {
  cv::Mat direct(2, 101, CV_32FC1, cv::Scalar(10));
  cv::Mat mirrored(2, 101, CV_32FC1, cv::Scalar(20));
  mirrored.at<float>(1, 100) = 30;  // lands in the first column
  const cv::Mat blended = flip_average(direct, mirrored);
  EXPECT_FLOAT_EQ(blended.at<float>(0, 0), 20);
  EXPECT_FLOAT_EQ(blended.at<float>(1, 0), 30);
  EXPECT_FLOAT_EQ(blended.at<float>(0, 5), 20);
  EXPECT_NEAR(blended.at<float>(0, 7), 0.6 * 20 + 0.4 * 15, 1e-5);  // m(.07) = .6
  EXPECT_FLOAT_EQ(blended.at<float>(0, 10), 15);
  EXPECT_FLOAT_EQ(blended.at<float>(0, 50), 15);
  EXPECT_FLOAT_EQ(blended.at<float>(0, 100), 10);
}

}  // namespace
}  // namespace dualdepth
