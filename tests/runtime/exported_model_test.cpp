#include "dualdepth/runtime/exported_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Contract of_outputs(std::vector<OutputContract> outputs) {
  return {
      .outputs = std::move(outputs),
      .codec = {.codec = CodecKind::kStep, .n_integer_levels = 4, .min_depth = 2, .max_depth = 10}};
}

// One row of maps [1, 1, 1, n].
torch::Tensor row(const std::vector<double>& values, torch::ScalarType type = torch::kFloat32) {
  return torch::tensor(values, torch::kFloat64).to(type).view({1, 1, 1, -1});
}

void expect_depth(const NamedTensors& outputs, const Contract& contract,
                  const std::vector<double>& metres) {
  const auto depth = to_prediction(outputs, contract).depth;
  ASSERT_EQ(depth.sizes(), (std::vector<int64_t>{1, 1, static_cast<int64_t>(metres.size())}));
  EXPECT_TRUE(torch::allclose(depth.flatten(), torch::tensor(metres, torch::kFloat32))) << depth;
}

// Codec step with 4 levels over 2..10 m: level k begins at 2 + 2 k and is 2 m wide.
TEST(ToPrediction, ComposesLevelsOfAnyIntegerType) {
  const Contract contract = of_outputs(
      {{.name = "l", .is = OutputKind::kLevel}, {.name = "f", .is = OutputKind::kFraction}});
  for (const auto type :
       {torch::kUInt8, torch::kInt16, torch::kInt32, torch::kInt64, torch::kFloat32}) {
    expect_depth({{"l", row({0, 1, 3}, type)}, {"f", row({0, 0.5, 1})}}, contract, {2, 5, 10});
  }
}

TEST(ToPrediction, ScalesAFractionOfBytes) {
  const Contract contract =
      of_outputs({{.name = "l", .is = OutputKind::kLevel},
                  {.name = "f", .is = OutputKind::kFraction, .scale = 1.0 / 255}});
  expect_depth({{"l", row({1, 1})}, {"f", row({0, 255}, torch::kUInt8)}}, contract, {4, 6});
}

TEST(ToPrediction, OfALevelWithoutAFractionIsTheLevelsCenter) {
  const Contract contract = of_outputs({{.name = "l", .is = OutputKind::kLevel}});
  expect_depth({{"l", row({0, 3}, torch::kInt64)}}, contract, {3, 9});
  EXPECT_FALSE(to_prediction({{"l", row({0})}}, contract).fraction.defined());
}

TEST(ToPrediction, ChoosesTheGreatestLogitInEitherLayout) {
  Contract contract = of_outputs({{.name = "x", .is = OutputKind::kLogits}});
  const auto logits = torch::tensor({0.F, 1.F, 5.F, 2.F, 9.F, 1.F, 5.F, 2.F}).view({1, 1, 2, 4});
  contract.input.layout = TensorLayout::kNhwc;
  expect_depth({{"x", logits}}, contract, {7, 3});
  contract.input.layout = TensorLayout::kNchw;
  expect_depth({{"x", logits.permute({0, 3, 1, 2})}}, contract, {7, 3});
}

TEST(ToPrediction, ReadsDepthOfHalfFloatsAndScaledIntegers) {
  Contract contract = of_outputs({{.name = "d", .is = OutputKind::kDepth}});
  expect_depth({{"d", row({1.5, 20}, torch::kHalf)}}, contract, {1.5, 20});
  contract.outputs[0].scale = 0.25;
  contract.outputs[0].shift = 1;
  expect_depth({{"d", row({8, 20}, torch::kInt32)}}, contract, {3, 6});
}

// 1 / (0.1 x + 0.02), between min_depth 2 and max_depth 10.
TEST(ToPrediction, InvertsInverseDepthWithItsScaleAndShift) {
  const Contract contract =
      of_outputs({{.name = "i", .is = OutputKind::kInverseDepth, .scale = 0.1, .shift = 0.02}});
  expect_depth({{"i", row({1, 2, 100, 0, -1})}}, contract, {1 / 0.12, 1 / 0.22, 2, 10, 10});
}

// 2 + 8 sigmoid(x)
TEST(ToPrediction, OfADepthLogitIsTheSigmoidOverTheRange) {
  const Contract contract = of_outputs({{.name = "x", .is = OutputKind::kDepthLogit}});
  expect_depth({{"x", row({0, std::log(3.0)})}}, contract, {6, 8});
}

// 2 + 2 x, of the sum x of all groups: 2 m a level.
TEST(ToPrediction, OfAPositionIsTheDepthAtTheSumOfItsGroups) {
  Contract contract = of_outputs({{.name = "p", .is = OutputKind::kPosition}});
  expect_depth({{"p", row({0, 1.5, 4, 5})}}, contract, {2, 5, 10, 10});
  const auto groups = torch::tensor({2.F, 0.25F, 1.F, 0.75F}).view({1, 2, 1, 2});
  expect_depth({{"p", groups}}, contract, {8, 4});
  contract.input.layout = TensorLayout::kNhwc;
  expect_depth({{"p", groups.permute({0, 2, 3, 1})}}, contract, {8, 4});
  expect_depth({{"p", torch::tensor({1.F, 3.F}).view({1, 1, 2})}}, contract, {4, 8});
}

// Groups of two thresholds in bytes: 255 is 2 levels.
TEST(ToPrediction, ScalesTheBytesOfAPosition) {
  const Contract contract =
      of_outputs({{.name = "p", .is = OutputKind::kPosition, .scale = 2.0 / 255}});
  const auto bytes = torch::tensor({255, 51, 51, 0}, torch::kUInt8).view({1, 2, 1, 2});
  expect_depth({{"p", bytes}}, contract, {2 + 2 * 2.4, 2 + 2 * 0.4});
}

// Order 1 runs along three sides of the square; a third of it is 8/3 m.
TEST(ToPrediction, OfCoordinatesIsTheDepthOfTheNearestPointOfTheCurve) {
  Contract contract = of_outputs({{.name = "c", .is = OutputKind::kCoordinates}});
  contract.codec.hilbert_order = 1;
  const auto pair = torch::tensor({0.1F, 0.75F, 0.5F, 0.9F}).view({1, 2, 1, 2});
  expect_depth({{"c", pair}}, contract, {2 + 0.5 * 8 / 3, 2 + 1.75 * 8 / 3});
}

TEST(ToPrediction, NamesAPositionOrCoordinatesOfAnotherShape) {
  const Contract position = of_outputs({{.name = "p", .is = OutputKind::kPosition}});
  EXPECT_THAT(
      [&] {
        to_prediction({{"p", torch::zeros({1, 5, 2, 2})}}, position);
      },
      ThrowsMessage<Error>(
          HasSubstr("output p: expected 1 to 4 channels, [N, C, h, w], got [1, 5, 2, 2]")));
  const Contract coordinates = of_outputs({{.name = "c", .is = OutputKind::kCoordinates}});
  EXPECT_THAT(
      [&] {
        to_prediction({{"c", torch::zeros({1, 2, 2})}}, coordinates);
      },
      ThrowsMessage<Error>(HasSubstr("output c: expected 2 channels")));
}

TEST(ToPrediction, KeepsDepthOfAModelThatReturnsItBesideItsHeads) {
  const Contract contract = of_outputs(
      {{.name = "d", .is = OutputKind::kDepth}, {.name = "l", .is = OutputKind::kLevel}});
  const NamedTensors outputs{{"d", row({7})}, {"l", row({1}, torch::kInt64)}};
  expect_depth(outputs, contract, {7});
  EXPECT_EQ(to_prediction(outputs, contract).level.item<int64_t>(), 1);
}

TEST(ToPrediction, NamesAnOutputThatDoesNotFit) {
  const Contract contract = of_outputs(
      {{.name = "l", .is = OutputKind::kLevel}, {.name = "f", .is = OutputKind::kFraction}});
  const auto predict = [&](const torch::Tensor& level, const torch::Tensor& fraction) {
    return [=, &contract] { to_prediction({{"l", level}, {"f", fraction}}, contract); };
  };
  EXPECT_THAT(predict(row({4}), row({0})),
              ThrowsMessage<Error>(HasSubstr("output l: expected levels 0 to 3, got 4 to 4")));
  EXPECT_THAT(predict(row({0, 1}), row({0})), ThrowsMessage<Error>(HasSubstr("output f")));
  EXPECT_THAT(
      predict(torch::zeros({1, 2, 3, 4}), row({0})),
      ThrowsMessage<Error>(HasSubstr("one channel, [N, 1, h, w] or [N, h, w], got [1, 2, 3, 4]")));
  EXPECT_THAT(
      [&] {
        to_prediction({{"l", row({0})}}, contract);
      },
      ThrowsMessage<Error>(HasSubstr("output f")));
}

}  // namespace
}  // namespace dualdepth
