#include "dualdepth/runtime/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"
#include "testing/flat_dataset.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::FlatDataset;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Says 10 m plus the picture's grey value everywhere.
class GreyPredictor : public Predictor {
 public:
  Prediction predict(const cv::Mat& rgb) override {
    ++calls;
    Prediction prediction;
    prediction.depth = cv::Mat(32, 32, CV_32FC1, cv::Scalar(10.0 + rgb.at<cv::Vec3b>(0, 0)[0]));
    prediction.region = {0, 0, rgb.cols, rgb.rows};
    return prediction;
  }
  const Contract& contract() const override { return contract_; }

  int calls = 0;

 private:
  Contract contract_{.input = {.size = {32, 32}}};
};

TEST(Evaluate, MeansOverPicturesUnderTheNamedProtocol) {
  GreyPredictor predictor;
  const auto result = evaluate(predictor, FlatDataset(3), {.protocol = "eigen-annotated"});
  // Errors of 0, 1 and 2 m at 10 m.
  EXPECT_NEAR(result.summary.abs_rel, 0.1, 1e-6);
  EXPECT_NEAR(result.summary.mae, 1.0, 1e-6);
  ASSERT_EQ(result.num_samples(), 3u);
  EXPECT_EQ(result.samples[2].id, "flat/2");
  EXPECT_NEAR(result.samples[2].metrics.abs_rel, 0.2, 1e-6);
  // Garg by hand: rows 40..98, columns 7..191 (upper ends truncated and excluded).
  EXPECT_EQ(result.samples[0].pixels, 59u * 185u);
  EXPECT_EQ(predictor.calls, 3);
}

TEST(Evaluate, MedianScalingAndFlipAreOptions) {
  GreyPredictor predictor;
  const auto result =
      evaluate(predictor, FlatDataset(3),
               {.protocol = "eigen-annotated", .scaling = ScalingKind::kMedian, .flip = true});
  EXPECT_NEAR(result.summary.abs_rel, 0, 1e-6);
  EXPECT_NEAR(result.samples[2].scale, 10.0 / 12.0, 1e-6);
  EXPECT_EQ(predictor.calls, 6);
}

// 10 m for a picture whose left column is black, 14 m for its mirror image: 10 m are right. By the
// formula of flip_average.h columns from 0.1 to 0.9 of the width get the mean, 12 m.
TEST(Evaluate, FlipAveragesWithTheMirrorImage) {
  class SidePredictor : public GreyPredictor {
   public:
    Prediction predict(const cv::Mat& rgb) override {
      Prediction prediction = GreyPredictor::predict(rgb);
      prediction.depth.setTo(rgb.at<cv::Vec3b>(0, 0)[0] == 0 ? 10 : 14);
      return prediction;
    }
  };
  class MarkedDataset : public FlatDataset {
   public:
    MarkedDataset() : FlatDataset(1) {}
    Sample load(size_t index) const override {
      Sample sample = FlatDataset::load(index);
      sample.rgb.col(199).setTo(cv::Scalar::all(255));
      return sample;
    }
  };
  SidePredictor predictor;
  cv::Mat seen;
  evaluate(predictor, MarkedDataset(), {.protocol = "eigen-annotated", .flip = true},
           [&](size_t, const Sample&, const cv::Mat& depth) { seen = depth.clone(); });
  EXPECT_FLOAT_EQ(seen.at<float>(50, 0), 14);
  EXPECT_FLOAT_EQ(seen.at<float>(50, 100), 12);
  EXPECT_FLOAT_EQ(seen.at<float>(50, 199), 10);
}

TEST(Evaluate, ShowsEverySampleInOrderWithDepthAtItsSize) {
  GreyPredictor predictor;
  std::vector<size_t> seen;
  evaluate(predictor, FlatDataset(10), {},
           [&](size_t index, const Sample& sample, const cv::Mat& depth) {
             seen.push_back(index);
             EXPECT_EQ(depth.size(), sample.depth.size());
             EXPECT_EQ(depth.at<float>(0, 0), 10.0F + static_cast<float>(index));
           });
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(Evaluate, ASampleWithoutGroundTruthIsAnErrorThatNamesIt) {
  GreyPredictor predictor;
  EXPECT_THAT([&] { evaluate(predictor, FlatDataset(2, false), {}); },
              ThrowsMessage<Error>(AllOf(HasSubstr("flat/0"), HasSubstr("ground truth"))));
}

TEST(GroundTruthOfProtocol, OverridesWhatTheDataSays) {
  DataOptions data;
  data.ground_truth = GroundTruthKind::kAnnotated;
  const auto velodyne = with_ground_truth_of(find_protocol("eigen-garg"), data);
  EXPECT_EQ(velodyne.ground_truth, GroundTruthKind::kVelodyne);
  EXPECT_EQ(velodyne.projection, ProjectionKind::kEigen);
  EXPECT_EQ(with_ground_truth_of(find_protocol("eigen-crop"), velodyne).ground_truth,
            GroundTruthKind::kVelodyne);
}

}  // namespace
}  // namespace dualdepth
