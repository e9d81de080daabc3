#include "dualdepth/runtime/predictor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include "dualdepth/base/error.h"
#include "dualdepth/runtime/network_predictor.h"
#include "testing/narrow_model.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(DepthAtSize, IsBilinearInsideTheRegionAndZeroOutside) {
  Prediction prediction;
  prediction.depth = (cv::Mat_<float>(1, 2) << 10, 20);
  prediction.region = {1, 1, 4, 1};
  const cv::Mat depth = depth_at_size(prediction, {6, 3});
  // Twice as wide with pixel centres at halves: positions -0.25, 0.25, 0.75, 1.25 between the two.
  const cv::Mat expected = (cv::Mat_<float>(3, 6) << 0, 0, 0, 0, 0, 0,  //
                            0, 10, 12.5, 17.5, 20, 0,                   //
                            0, 0, 0, 0, 0, 0);
  EXPECT_EQ(cv::norm(depth, expected, cv::NORM_INF), 0);
}

// 10 m for a picture whose first pixel is black, 20 m for its mirror image: a predictor that knows
// left from right.
class SidePredictor : public Predictor {
 public:
  Prediction predict(const cv::Mat& rgb) override {
    Prediction prediction;
    const bool mirrored = rgb.at<cv::Vec3b>(0, 0)[0] != 0;
    prediction.depth = cv::Mat(2, 101, CV_32FC1, cv::Scalar(mirrored ? 20 : 10));
    prediction.level = cv::Mat(2, 101, CV_16UC1, cv::Scalar(mirrored ? 2 : 1));
    prediction.region = {0, 0, rgb.cols, rgb.rows};
    return prediction;
  }
  const Contract& contract() const override { return contract_; }

 private:
  Contract contract_{.input = {.size = {2, 101}}};
};

// By the formula of flip_average.h: the mirror image's 20 m at the left edge, the mean in the
// middle, the picture's own 10 m at the right edge.
TEST(PredictWithFlip, JoinsThePredictionsOfThePictureAndItsMirrorImage) {
  cv::Mat rgb(2, 40, CV_8UC3, cv::Scalar::all(0));
  rgb.col(39).setTo(cv::Scalar::all(255));
  SidePredictor predictor;
  const Prediction both = predict_with_flip(predictor, rgb);
  EXPECT_FLOAT_EQ(both.depth.at<float>(0, 0), 20);
  EXPECT_FLOAT_EQ(both.depth.at<float>(0, 50), 15);
  EXPECT_FLOAT_EQ(both.depth.at<float>(1, 100), 10);
  EXPECT_EQ(both.level.at<ushort>(0, 0), 1) << "levels stay those of the picture itself";
}

// Says the value of the red channel as metres, at the picture's own size.
class RedChannelPredictor : public Predictor {
 public:
  Prediction predict(const cv::Mat& rgb) override {
    cv::Mat red;
    cv::extractChannel(rgb, red, 0);
    Prediction prediction;
    red.convertTo(prediction.depth, CV_32F);
    prediction.region = {0, 0, rgb.cols, rgb.rows};
    return prediction;
  }
  const Contract& contract() const override { return contract_; }

 private:
  Contract contract_{.input = {.size = {32, 32}}};
};

TEST(PredictWithFlip, OfAPredictorThatIgnoresTheSideChangesNothing) {
  cv::Mat rgb(2, 40, CV_8UC3);
  cv::randu(rgb, 1, 255);
  RedChannelPredictor predictor;
  const cv::Mat plain = predictor.predict(rgb).depth;
  const cv::Mat flipped = predict_with_flip(predictor, rgb).depth;
  EXPECT_LT(cv::norm(plain, flipped, cv::NORM_INF), 1e-4);
}

class NetworkPrediction : public ::testing::Test {
 protected:
  NetworkPrediction() {
    torch::manual_seed(1);
    data_.image_shape = {32, 64};
  }

  Prediction predict(int height, int width) {
    cv::Mat rgb(height, width, CV_8UC3);
    cv::theRNG().state = 7;
    cv::randu(rgb, 0, 255);
    NetworkPredictor predictor(DepthNet(model_), data_, torch::kCPU);
    EXPECT_EQ(predictor.input_size(), cv::Size(64, 32));
    return predictor.predict(rgb);
  }

  ModelOptions model_ = testing::narrow_model();
  DataOptions data_;
};

TEST_F(NetworkPrediction, GivesMapsAtTheNetworksResolutionForTheWholePicture) {
  const auto prediction = predict(100, 300);
  EXPECT_EQ(prediction.depth.size(), cv::Size(64, 32));
  EXPECT_EQ(prediction.depth.type(), CV_32FC1);
  EXPECT_EQ(prediction.level.type(), CV_16UC1);
  EXPECT_EQ(prediction.fraction.size(), cv::Size(64, 32));
  EXPECT_EQ(prediction.region, cv::Rect(0, 0, 300, 100));
  double nearest = 0;
  double farthest = 0;
  cv::minMaxLoc(prediction.depth, &nearest, &farthest);
  EXPECT_GE(nearest, 0.1);
  EXPECT_LE(farthest, 80.0);
}

TEST_F(NetworkPrediction, OfKbCropCoversTheBenchmarkCropOfPicturesThatHaveIt) {
  data_.kb_crop = true;
  // top = 375 - 352, left = int((1242 - 1216) / 2)
  EXPECT_EQ(predict(375, 1242).region, cv::Rect(13, 23, 1216, 352));
  EXPECT_EQ(predict(100, 300).region, cv::Rect(0, 0, 300, 100));
}

TEST_F(NetworkPrediction, OfOneHeadHasDepthAlone) {
  model_.params.use_dual_head = false;
  const auto prediction = predict(64, 64);
  EXPECT_FALSE(prediction.depth.empty());
  EXPECT_TRUE(prediction.level.empty());
  EXPECT_TRUE(prediction.fraction.empty());
}

TEST(OpenPredictor, NamesAFileThatIsNoModel) {
  const testing::TempFolder folder;
  const auto file = folder.write("holiday.jpg", "no model");
  EXPECT_THAT([&] { open_predictor(file, {.device = DeviceKind::kCpu}); },
              ThrowsMessage<Error>(HasSubstr("holiday.jpg")));
}

}  // namespace
}  // namespace dualdepth
