#include "dualdepth/data/contact_sheet.h"

#include <gtest/gtest.h>

namespace dualdepth {
namespace {

Sample example() {
  Sample sample;
  sample.id = "id";
  sample.rgb = cv::Mat(100, 200, CV_8UC3, cv::Scalar::all(100));
  sample.depth = cv::Mat::zeros(100, 200, CV_32FC1);
  sample.depth(cv::Rect(20, 20, 20, 20)) = 1.0F;
  sample.depth(cv::Rect(120, 20, 20, 20)) = 79.0F;
  return sample;
}

TEST(ContactCell, DrawsNearDepthRedFarDepthBlueOverDarkenedGrey) {
  ContactSheetOptions options;
  options.cell_width = 100;  // half the picture
  const cv::Mat cell = contact_cell(example(), options);
  EXPECT_EQ(cell.cols, 100);
  EXPECT_GT(cell.rows, 50);  // the label stands below
  const auto& near = cell.at<cv::Vec3b>(15, 15);
  const auto& far = cell.at<cv::Vec3b>(15, 65);
  EXPECT_GT(near[0], near[2] + 30);
  EXPECT_GT(far[2], far[0]);
  EXPECT_EQ(cell.at<cv::Vec3b>(40, 40), cv::Vec3b(55, 55, 55));  // 100 * 0.55
}

TEST(ContactCell, SampleWithoutGroundTruthIsThePictureAlone) {
  Sample sample = example();
  sample.depth.release();
  ContactSheetOptions options;
  options.cell_width = 100;
  EXPECT_EQ(contact_cell(sample, options).at<cv::Vec3b>(15, 15), cv::Vec3b(55, 55, 55));
}

TEST(ContactSheet, PutsCellsRowByRowAboveTheScale) {
  ContactSheetOptions options;
  options.columns = 2;
  options.cell_width = 40;
  std::vector<cv::Mat> cells;
  for (const int shade : {50, 100, 150}) {
    cells.emplace_back(30, 40, CV_8UC3, cv::Scalar::all(shade));
  }
  const cv::Mat sheet = contact_sheet(cells, options);
  EXPECT_GE(sheet.cols, 80);
  EXPECT_GT(sheet.rows, 60);
  EXPECT_EQ(sheet.at<cv::Vec3b>(5, 5)[0], 50);
  EXPECT_EQ(sheet.at<cv::Vec3b>(5, sheet.cols - 5)[0], 100);
  EXPECT_EQ(sheet.at<cv::Vec3b>(40, 5)[0], 150);
}

}  // namespace
}  // namespace dualdepth
