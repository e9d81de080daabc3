#include "dualdepth/metrics/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "dualdepth/base/error.h"
#include "dualdepth/io/image.h"
#include "dualdepth/metrics/depth_metrics.h"
#include "testing/shared_data.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

cv::Mat row_of(const std::vector<float>& values) {
  return cv::Mat(values, /*copyData=*/true).reshape(1, 1);
}

PixelPairs select_all(const cv::Mat& prediction, const cv::Mat& truth,
                      ScalingKind scaling = ScalingKind::kNone) {
  return select_pixels(find_protocol("benchmark"), prediction, truth, {}, scaling);
}

// The prediction of protocol_golden.py.
cv::Mat formula_prediction() {
  cv::Mat depth(192, 640, CV_32FC1);
  for (int y = 0; y < depth.rows; ++y) {
    for (int x = 0; x < depth.cols; ++x) {
      depth.at<float>(y, x) =
          static_cast<float>(120 * std::exp(-3.0 * y / 192) * (1 + 0.3 * std::sin(x / 40.0)));
    }
  }
  return depth;
}

// Printed by protocol_golden.py, which computes in NumPy: kNone on a LiDAR frame of drive_0001,
// kMedian on a frame of drive_0018.
struct Golden {
  const char* protocol;
  ScalingKind scaling;
  size_t pixels;
  double scale;
  DepthMetrics metrics;
};

const std::vector<Golden>& goldens() {
  using enum ScalingKind;
  static const std::vector<Golden> values{
      {"eigen-garg",
       kNone,
       86604,
       1,
       {0.28312077, 2.6438868, 9.028325, 0.34724466, 0.12072046, 34.723589, 22.370428, 5.5441061,
        0.47981617, 0.83388758, 0.93649254, 28.312077, 13.724945}},
      {"eigen-garg",
       kMedian,
       61755,
       0.61879804,
       {0.32830812, 3.4878795, 11.534455, 0.50529575, 0.17224681, 43.836178, 46.827643, 6.3944954,
        0.36019755, 0.64045017, 0.85102421, 32.830812, 15.363356}},
      {"eigen-annotated",
       kNone,
       86604,
       1,
       {0.28312077, 2.6438868, 9.028325, 0.34724466, 0.12072046, 34.723589, 22.370428, 5.5441061,
        0.47981617, 0.83388758, 0.93649254, 28.312077, 13.724945}},
      {"eigen-annotated",
       kMedian,
       61755,
       0.61879804,
       {0.32830812, 3.4878795, 11.534455, 0.50529575, 0.17224681, 43.836178, 46.827643, 6.3944954,
        0.36019755, 0.64045017, 0.85102421, 32.830812, 15.363356}},
      {"eigen-kb-garg",
       kNone,
       82611,
       1,
       {0.27783861, 2.4072761, 8.34272, 0.33863885, 0.11753145, 33.856241, 22.608026, 5.0898283,
        0.4920168, 0.84808319, 0.94184794, 27.783861, 13.249146}},
      {"eigen-kb-garg",
       kMedian,
       58892,
       0.6311938,
       {0.31948152, 3.1498577, 10.645576, 0.48340888, 0.1645476, 42.577928, 45.820929, 5.8868739,
        0.37752156, 0.65815391, 0.86797867, 31.948152, 14.828563}},
      {"eigen-crop",
       kNone,
       81447,
       1,
       {0.29429717, 3.0094304, 9.6647135, 0.35968813, 0.1252345, 35.964602, 21.081523, 6.1417074,
        0.46911488, 0.81218461, 0.92981939, 29.429717, 14.97036}},
      {"eigen-crop",
       kMedian,
       58495,
       0.60559255,
       {0.33470562, 3.8549201, 12.270078, 0.52277489, 0.1774737, 45.22058, 41.765843, 6.9809414,
        0.34939738, 0.63130182, 0.83962732, 33.470562, 16.017569}},
      {"eigen-crop-50",
       kNone,
       79185,
       1,
       {0.28725041, 2.5607722, 7.8638045, 0.33865579, 0.11903125, 33.823669, 21.102322, 5.3502184,
        0.48251563, 0.83532235, 0.95049567, 28.725041, 14.547362}},
      {"eigen-crop-50",
       kMedian,
       56104,
       0.61036467,
       {0.31683261, 2.5984133, 8.3324592, 0.45059247, 0.15870784, 39.954143, 40.77681, 5.3494867,
        0.36879723, 0.66210965, 0.87920647, 31.683261, 14.419654}},
      {"benchmark",
       kNone,
       89438,
       1,
       {0.29019469, 2.8705959, 9.3489631, 0.35286713, 0.12258543, 35.28603, 22.312705, 5.7854424,
        0.47369127, 0.82617008, 0.93402133, 29.019469, 14.854958}},
      {"benchmark",
       kMedian,
       68907,
       0.59944316,
       {0.33261092, 3.522958, 11.589309, 0.51413807, 0.17628987, 44.092196, 49.007344, 6.4751069,
        0.33838362, 0.63662618, 0.84010333, 33.261092, 15.49346}},
      {"ncdb",
       kNone,
       51252,
       1,
       {0.21007445, 0.5853766, 2.3511689, 0.22283124, 0.083079442, 20.17269, 23.542348, 1.9658554,
        0.64610162, 0.98624444, 1, 21.007445, 6.4657043}},
      {"ncdb",
       kMedian,
       52203,
       0.64985079,
       {0.25601009, 0.88741125, 2.9272224, 0.31516139, 0.11391123, 31.106818, 43.236539, 2.4266013,
        0.47121813, 0.83405168, 0.98341092, 25.601009, 9.5099554}},
  };
  return values;
}

TEST(Protocol, EachAgreesWithNumPyOnRealFrames) {
  DUALDEPTH_NEEDS_SHARED("kitti_mini/depth");
  const auto depth_of = [](const char* drive, const char* frame) {
    return read_depth_png(testing::shared_path("kitti_mini/depth") / drive /
                          "proj_depth/groundtruth/image_02" / frame);
  };
  const cv::Mat lidar = depth_of("train/2011_09_26_drive_0001_sync", "0000000010.png");
  const cv::Mat disparity = depth_of("val/2011_09_26_drive_0018_sync", "0000000046.png");
  const cv::Mat prediction = formula_prediction();
  ASSERT_EQ(goldens().size(), 2 * all_protocols().size());
  for (const Golden& golden : goldens()) {
    SCOPED_TRACE(golden.protocol);
    const cv::Mat& truth = golden.scaling == ScalingKind::kNone ? lidar : disparity;
    const PixelPairs pairs =
        select_pixels(find_protocol(golden.protocol), prediction, truth, {}, golden.scaling);
    ASSERT_EQ(pairs.truth.size(), golden.pixels);
    EXPECT_NEAR(pairs.scale, golden.scale, 1e-6);
    MetricAccumulator accumulator;
    accumulator.add(pairs.prediction, pairs.truth);
    const DepthMetrics metrics = accumulator.metrics();
    DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*metric) {
      EXPECT_NEAR(metrics.*metric, golden.metrics.*metric, 1e-5 * golden.metrics.*metric) << name;
    });
  }
}

TEST(WithRange, MovesTheNcdbLimitsAndAddsBinsOutsideItsOwn) {
  const Protocol protocol = with_range(find_protocol("ncdb"), {0.1, 30});
  const PixelPairs pairs = select_pixels(protocol, row_of({0.05F, 0.3F, 40, 9}),
                                         row_of({0.1F, 0.2F, 29, 30}), {}, ScalingKind::kNone);
  EXPECT_THAT(pairs.truth, ElementsAre(0.2F, 29));
  EXPECT_THAT(pairs.prediction, ElementsAre(0.3F, 30));
  std::vector<std::string> names;
  names.reserve(protocol.bins.size());
  for (const RangeBin& bin : protocol.bins) names.push_back(bin.name());
  EXPECT_THAT(names, ElementsAre("0.1-0.5", "0.5-1", "1-3", "3-5", "5-15", "15-30"));
}

TEST(WithRange, RefusesWhatIsNoRangeAndAProtocolWithoutOne) {
  EXPECT_THAT(
      [] {
        with_range(find_protocol("ncdb"), {15, 0.1});
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("evaluation.range"), HasSubstr("15-0.1"))));
  EXPECT_THAT(
      [] {
        with_range(find_protocol("eigen-garg"), {0.1, 15});
      },
      ThrowsMessage<Error>(HasSubstr("eigen-garg")));
}

// int(.40810811 * 375) = int(153.04), int(.99189189 * 375) = int(371.96),
// int(.03594771 * 1242) = int(44.65), int(.96405229 * 1242) = int(1197.35).
TEST(CropRectangle, SharesAreTruncatedToWholePixels) {
  EXPECT_EQ(crop_rectangle(CropKind::kGarg, {1242, 375}), cv::Rect(44, 153, 1153, 218));
  // .3324324 * 370 = 122.9, .91351351 * 370 = 337.9, .0359477 * 1226 = 44.07, ... = 1181.9
  EXPECT_EQ(crop_rectangle(CropKind::kEigen, {1226, 370}), cv::Rect(44, 122, 1137, 215));
  EXPECT_EQ(crop_rectangle(CropKind::kNone, {1224, 370}), cv::Rect(0, 0, 1224, 370));
}

TEST(CropRectangle, KbCropBeginsAtTheBottomAndInTheMiddle) {
  // Garg of 352 x 1216: rows 143..349, columns 43..1172; moved by (1241 - 1216) / 2 = 12 and 24.
  EXPECT_EQ(crop_rectangle(CropKind::kKbThenGarg, {1241, 376}),
            cv::Rect(43 + 12, 143 + 24, 1129, 206));
}

TEST(CropRectangle, PictureSmallerThanTheKbCropIsRefused) {
  EXPECT_THAT(
      [] {
        crop_rectangle(CropKind::kKbThenGarg, {640, 192});
      },
      ThrowsMessage<Error>(HasSubstr("at least 1216x352, got 640x192")));
}

TEST(SelectPixels, CapsAreStrictAndPredictionsAreClamped) {
  Protocol capped;
  capped.max_depth = capped.max_prediction = 80;
  const cv::Mat truth = row_of({0, 1e-3F, 2e-3F, 79.99F, 80, 5, 5});
  const cv::Mat prediction = row_of({1, 1, 0, 200, 1, -3, 7});
  const PixelPairs pairs = select_pixels(capped, prediction, truth, {}, ScalingKind::kNone);
  EXPECT_THAT(pairs.truth, ElementsAre(2e-3F, 79.99F, 5, 5));
  EXPECT_THAT(pairs.prediction, ElementsAre(1e-3F, 80, 1e-3F, 7));
}

TEST(SelectPixels, MaskedPixelsDoNotCount) {
  const cv::Mat mask = (cv::Mat_<uint8_t>(1, 3) << 255, 0, 1);
  const PixelPairs pairs = select_pixels(find_protocol("benchmark"), row_of({1, 2, 3}),
                                         row_of({4, 5, 6}), mask, ScalingKind::kNone);
  EXPECT_THAT(pairs.truth, ElementsAre(4, 6));
  EXPECT_THAT(
      [&] {
        select_pixels(find_protocol("benchmark"), row_of({1, 2}), row_of({4, 5}), mask,
                      ScalingKind::kNone);
      },
      ThrowsMessage<Error>(HasSubstr("valid mask: expected 2x1, the depth's size, got 3x1")));
}

TEST(SelectPixels, MedianOfAnEvenNumberIsTheMeanOfTheMiddleTwo) {
  // Medians (4 + 6) / 2 and (1 + 2) / 2 over the pixels with truth.
  const PixelPairs pairs =
      select_all(row_of({1, 100, 2, 0.5F, 9}), row_of({4, 0, 6, 2, 8}), ScalingKind::kMedian);
  EXPECT_NEAR(pairs.scale, 5 / 1.5, 1e-12);
  EXPECT_THAT(pairs.prediction,
              ElementsAre(FloatEq(10 / 3.0F), FloatEq(20 / 3.0F), FloatEq(5 / 3.0F), FloatEq(30)));
}

TEST(SelectPixels, PredictionsThatAreNotFiniteCountAsTheNearestAndAreCounted) {
  const PixelPairs pairs = select_all(row_of({std::nanf(""), INFINITY, 3}), row_of({4, 5, 6}));
  EXPECT_THAT(pairs.prediction, ElementsAre(1 / 256.0F, 1 / 256.0F, 3));
  EXPECT_EQ(pairs.non_finite, 2u);
}

TEST(SelectPixels, SmallerPredictionIsResizedWithPixelCentresAtHalves) {
  // Two pixels become four: 1, 1.25 * ..., that is 1, 0.75 * 1 + 0.25 * 5 = 2, 4, 5.
  const PixelPairs pairs = select_all(row_of({1, 5}), row_of({9, 9, 9, 9}));
  EXPECT_THAT(pairs.prediction, ElementsAre(1, 2, 4, 5));
}

TEST(FindProtocol, UnknownNameIsAnErrorThatSuggestsTheNearest) {
  EXPECT_THAT([] { find_protocol("eigen-grag"); },
              ThrowsMessage<Error>(HasSubstr("did you mean eigen-garg?")));
}

}  // namespace
}  // namespace dualdepth
