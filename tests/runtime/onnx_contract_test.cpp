#include "dualdepth/runtime/onnx_contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"
#include "dualdepth/runtime/predictor.h"
#include "testing/build_paths.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

fs::path data(const std::string& name) {
  return testing::source_dir() / "tests/runtime/data" / name;
}

// tests/interop/make_foreign.py made foreign_depth.onnx: depth = 10 + 2 r + 3 g + 4 b + relu(-r) of
// ImageNet's normalization, negative r, g and b as 0.
Contract depth_contract() {
  return {.input = {.name = "pixel_values",
                    .mean = {0.485, 0.456, 0.406},
                    .std = {0.229, 0.224, 0.225}},
          .outputs = {{.name = "predicted_depth", .is = OutputKind::kDepth}}};
}

// foreign_bytes.onnx: inverse depth = 0.001 B + 0.002 G + 0.003 R of four uint8 BGR pictures, NHWC.
Contract bytes_contract() {
  return {.input = {.layout = TensorLayout::kNhwc,
                    .channels = ChannelOrder::kBgr,
                    .type = InputType::kUint8},
          .outputs = {
              {.name = "disparity", .is = OutputKind::kInverseDepth, .scale = 0.1, .shift = 0.02}}};
}

std::string complaint(const std::string& file, const std::optional<Contract>& contract) {
  try {
    contract_of(OnnxFile(data(file)), contract);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

cv::Mat plain_picture(const cv::Scalar& rgb) { return {cv::Size(64, 32), CV_8UC3, rgb}; }

LoadedPredictor open(const std::string& file, const Contract& contract) {
  const testing::TempFolder folder;
  const RuntimeOptions options{.device = DeviceKind::kCpu,
                               .threads = 1,
                               .card = folder.write("card.json", to_json(contract))};
  return open_predictor(data(file), options);
}

TEST(OnnxContract, FillsNameAndSizeFromTheFile) {
  Contract contract = depth_contract();
  contract.input.name.clear();
  contract = contract_of(OnnxFile(data("foreign_depth.onnx")), contract);
  EXPECT_EQ(contract.input.name, "pixel_values");
  EXPECT_THAT(contract.input.size, ElementsAre(32, 64));
}

TEST(OnnxContract, OfAFileWithoutOneShowsHowToWriteIt) {
  const std::string message = complaint("foreign_depth.onnx", std::nullopt);
  EXPECT_THAT(message, AllOf(HasSubstr("foreign_depth.onnx: expected a file with a contract"),
                             HasSubstr("inputs: pixel_values float [?, 3, 32, 64]"),
                             HasSubstr("outputs: predicted_depth float [?, 1, 32, 64]")));
  // What it shows fits the file.
  const auto shown = parse_contract(message.substr(message.find('{')), "shown");
  EXPECT_EQ(shown.outputs, depth_contract().outputs);
  EXPECT_EQ(complaint("foreign_depth.onnx", shown), "");
  const std::string bytes = complaint("foreign_bytes.onnx", std::nullopt);
  EXPECT_EQ(complaint("foreign_bytes.onnx", parse_contract(bytes.substr(bytes.find('{')), "shown")),
            "");
}

TEST(OnnxContract, NamesWhatDoesNotFitTheFile) {
  Contract contract = depth_contract();
  contract.outputs[0].name = "predicted_deph";
  EXPECT_THAT(complaint("foreign_depth.onnx", contract),
              AllOf(HasSubstr("outputs.predicted_deph: expected a name that the file has"),
                    HasSubstr("did you mean predicted_depth?")));
  contract = depth_contract();
  contract.input.name = "image";
  EXPECT_THAT(complaint("foreign_depth.onnx", contract), HasSubstr("input.name"));
  contract = depth_contract();
  contract.input.size = {64, 64};
  EXPECT_THAT(complaint("foreign_depth.onnx", contract), HasSubstr("input.size"));
  contract = depth_contract();
  contract.input.layout = TensorLayout::kNhwc;
  EXPECT_THAT(complaint("foreign_depth.onnx", contract), HasSubstr("input.layout"));
  contract = bytes_contract();
  contract.input.type = InputType::kFloat32;
  EXPECT_THAT(complaint("foreign_bytes.onnx", contract),
              AllOf(HasSubstr("input.type"), HasSubstr("bytes uint8 [4, 32, 64, 3]")));
}

TEST(OnnxContract, OfAFileOfFormat1IsRead) {
  const Contract contract = contract_of(OnnxFile(data("levels_1.onnx")));
  EXPECT_EQ(contract.codec.n_integer_levels, 48);
  EXPECT_TRUE(carries_contract(data("levels_1.onnx")));
  EXPECT_FALSE(carries_contract(data("foreign_depth.onnx")));
}

// r = (200/255 - 0.485) / 0.229 = 1.307047, g = (150/255 - 0.456) / 0.224 = 0.590336, b < 0:
// 10 + 2 * 1.307047 + 3 * 0.590336 = 14.385102 m.
TEST(ForeignModel, PredictsWithNormalizationOutside) {
  const auto model = open("foreign_depth.onnx", depth_contract());
  const auto prediction = model.predictor->predict(plain_picture({200, 150, 100}));
  EXPECT_EQ(prediction.depth.size(), cv::Size(64, 32));
  EXPECT_NEAR(prediction.depth.at<float>(16, 31), 14.385102, 1e-4);
  EXPECT_TRUE(prediction.level.empty());
  EXPECT_FALSE(model.training.has_value());
}

// 0.001 * 100 + 0.002 * 150 + 0.003 * 200 = 1: 1 / (0.1 + 0.02) = 8.333333 m.
TEST(ForeignModel, PredictsFromBytesOfAnotherLayoutAndColourOrder) {
  const auto model = open("foreign_bytes.onnx", bytes_contract());
  const auto prediction = model.predictor->predict(plain_picture({200, 150, 100}));
  EXPECT_NEAR(prediction.depth.at<float>(3, 5), 8.333333, 1e-5);
}

// Five pictures of a file that takes four at a time: the last run is filled up.
TEST(ForeignModel, PredictsBatchesAsItPredictsOneByOne) {
  for (const auto& [file, contract] : {std::pair{"foreign_depth.onnx", depth_contract()},
                                       std::pair{"foreign_bytes.onnx", bytes_contract()}}) {
    const auto model = open(file, contract);
    std::vector<cv::Mat> pictures;
    for (int i = 0; i < 5; ++i) {
      pictures.emplace_back(40 + i, 90, CV_8UC3);
      cv::randu(pictures.back(), 0, 255);
    }
    const auto together = model.predictor->predict_batch(pictures);
    ASSERT_EQ(together.size(), 5u);
    for (size_t i = 0; i < pictures.size(); ++i) {
      const auto alone = model.predictor->predict(pictures[i]);
      EXPECT_LE(cv::norm(together[i].depth, alone.depth, cv::NORM_INF), 1e-5) << file << i;
      EXPECT_EQ(together[i].region, alone.region);
    }
  }
}

// The pixel (0, 0) of byte pattern (37 i) mod 256 in the order of [3, 32, 64]: ONNX Runtime says
// level 14 and fraction 0.5 there, level 2 and 0.549448 beside it.
TEST(ForeignModel, OfFormat1PredictsTheSameHeads) {
  const auto model =
      open_predictor(data("levels_1.onnx"), {.device = DeviceKind::kCpu, .threads = 1});
  cv::Mat rgb(32, 64, CV_8UC3);
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 64; ++x) {
      for (int c = 0; c < 3; ++c) {
        rgb.at<cv::Vec3b>(y, x)[c] = static_cast<uint8_t>(((c * 32 + y) * 64 + x) * 37 % 256);
      }
    }
  }
  const auto prediction = model.predictor->predict(rgb);
  EXPECT_EQ(prediction.level.at<uint16_t>(0, 0), 14);
  EXPECT_EQ(prediction.level.at<uint16_t>(0, 1), 2);
  EXPECT_EQ(prediction.level.at<uint16_t>(0, 2), 34);
  EXPECT_NEAR(prediction.fraction.at<float>(0, 0), 0.5, 1e-5);
  EXPECT_NEAR(prediction.fraction.at<float>(0, 1), 0.54944766, 1e-5);
  EXPECT_EQ(cv::sum(prediction.level)[0], 34896);
}

}  // namespace
}  // namespace dualdepth
