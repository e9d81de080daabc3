#include "dualdepth/quantize/quantize_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/model/dense_prediction.h"
#include "quantized_network.h"

namespace dualdepth::quantize {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST_F(QuantizedNetwork, GraphRunsAsTheNetworkDoes) {
  const auto dense = predict_dense(net_, picture(0));
  const auto said = depth_of(graph_, contract_)(picture(0));
  const double equal = said.level.eq(dense.level).to(torch::kFloat64).mean().item<double>();
  EXPECT_GT(equal, 0.999);  // near ties
  EXPECT_TRUE(torch::allclose(said.fraction, dense.fraction, 1e-4, 1e-5));
}

TEST_F(QuantizedNetwork, CalibrationHasTheSameBitsWithAnyNumberOfThreads) {
  const Placement placement = place_grids(graph_, OnnxProfile::kPortable);
  const auto one = calibrate(graph_, placement, pictures_, 1);
  const auto two = calibrate(graph_, placement, pictures_, 2);
  ASSERT_EQ(one.values.size(), two.values.size());
  for (const auto& [id, histogram] : one.values) {
    EXPECT_EQ(histogram.range().high, two.values.at(id).range().high);
    EXPECT_EQ(histogram.counts(), two.values.at(id).counts());
  }
}

// One thread: the picture with NaN is merged first and the finite ones after it.
TEST_F(QuantizedNetwork, CalibrationRefusesANaNInAnyPicture) {
  const Placement placement = place_grids(graph_, OnnxProfile::kPortable);
  for (size_t broken = 0; broken < 3; ++broken) {
    const Pictures pictures{3, [&](size_t index) {
                              auto image = picture(index);
                              if (index == broken) image[0][1][7][9] = std::nanf("");
                              return image;
                            }};
    EXPECT_THAT([&] { calibrate(graph_, placement, pictures, 1); },
                ThrowsMessage<Error>(HasSubstr("got NaN or infinity")))
        << broken;
  }
}

// 0.1, 0.5, 99 and 99.9 % of values that lie evenly between 0 and 100, whose standard deviation is
// 100 / sqrt(12) = 28.87.
TEST(WinnerRange, LeavesRoomBelowTheLowWinnersAndLittleAboveTheHighOnes) {
  Histogram winners;
  winners.add(torch::linspace(0, 100, 100001));
  const auto wide = winner_range(winners, RangeMethod::kMse, WinnerRange::kWide);
  EXPECT_NEAR(wide.low, 0.1 - 2.5 * 28.87, 0.1);
  EXPECT_EQ(wide.high, 100);  // 99.9 + 36 would lie beyond what was seen
  const auto narrow = winner_range(winners, RangeMethod::kMse, WinnerRange::kNarrow);
  EXPECT_NEAR(narrow.low, 0.5 - 1.25 * 28.87, 0.1);
  EXPECT_EQ(winner_range(winners, RangeMethod::kMinMax, WinnerRange::kNarrow).high, 100);
}

// One winner in 10,000 lies 6 below the others, whose quantile and spread hardly move.
TEST(WinnerRange, HoldsTheLeastWinner) {
  Histogram winners;
  winners.add(torch::cat({torch::linspace(9, 11, 9999), torch::full({1}, 3)}));
  const double spread = 0.5816;  // NumPy's std of these values
  for (const auto extent : {WinnerRange::kWide, WinnerRange::kNarrow}) {
    EXPECT_NEAR(winner_range(winners, RangeMethod::kMse, extent).low, 3 - 0.5 * spread, 0.02);
  }
}

// Argmax is the same, and so is the share of the codes that the winners get.
TEST(WinnerRange, ScalesWithTheLogits) {
  torch::manual_seed(4);
  const auto logits = 3 + torch::randn({10000});
  Histogram whole, hundredth;
  whole.add(logits);
  hundredth.add(logits / 128);
  for (const auto extent : {WinnerRange::kWide, WinnerRange::kNarrow}) {
    const auto range = winner_range(whole, RangeMethod::kMse, extent);
    const auto small = winner_range(hundredth, RangeMethod::kMse, extent);
    EXPECT_NEAR(128 * small.low, range.low, 1e-4);
    EXPECT_NEAR(128 * small.high, range.high, 1e-4);
  }
}

TEST_F(QuantizedNetwork, CentringAndEqualizationKeepTheFloatDepth) {
  QuantizeOptions options = quick();
  options.correct_bias = false;
  const auto quantization = quantize_graph(graph_, contract_, pictures_, options);
  const auto error =
      depth_error(predict_all(depth_of(quantization.reference, contract_), pictures_),
                  predict_all(depth_of(graph_, contract_), pictures_));
  // Lowering the 8-bit head would cost the reference its winners below the lowered bottom.
  EXPECT_GT(error.equal_levels, 0.9999);
  EXPECT_LT(error.relative, 1e-4);
  // Plain, centred, equalized without and with what Concats put beside, narrow winners, the
  // plan; centring is tried again where it was not kept.
  EXPECT_EQ(quantization.stages.size(), quantization.stages[4].name == "centred last" ? 7U : 6U);
}

TEST_F(QuantizedNetwork, EveryConvolutionLiesOnItsGrid) {
  const auto quantization = quantize_graph(graph_, contract_, pictures_, quick());
  size_t convolutions = 0;
  for (const auto& node : quantization.graph.nodes()) {
    const auto* conv = std::get_if<graph::Conv>(&node.operation);
    if (conv == nullptr) continue;
    ++convolutions;
    ASSERT_TRUE(conv->weight_scale.defined()) << node.module;
    const auto steps = conv->weight / conv->weight_scale.view({-1, 1, 1, 1});
    EXPECT_TRUE(torch::allclose(steps, steps.round(), 0, 1e-3)) << node.module;
    EXPECT_LE(steps.abs().max().item<float>(), 127.001F) << node.module;
  }
  EXPECT_EQ(convolutions, 32U);
}

TEST_F(QuantizedNetwork, FittingNeverKeepsWhatIsWorseOnHeldBackPixels) {
  QuantizeOptions options = quick();
  options.round_adaptively = true;
  const auto quantization = quantize_graph(graph_, contract_, pictures_, options);
  for (const auto& layer : quantization.layers) {
    EXPECT_LE(layer.error_after, layer.error_before) << layer.name;
  }
}

TEST_F(QuantizedNetwork, RefusesAModelThatIsQuantizedAlready) {
  const auto quantization = quantize_graph(graph_, contract_, pictures_, quick());
  EXPECT_THAT([&] { quantize_graph(quantization.graph, contract_, pictures_, quick()); },
              ThrowsMessage<Error>(HasSubstr("quantized already")));
}

TEST_F(QuantizedNetwork, RefusesPicturesThatAreNoneOrShowNothing) {
  EXPECT_THAT([&] { quantize_graph(graph_, contract_, {}, quick()); },
              ThrowsMessage<Error>(HasSubstr("pictures, got none")));
  const Pictures flat{2, [](size_t) { return torch::full({1, 3, 32, 64}, 0.5F); }};
  EXPECT_THAT([&] { quantize_graph(graph_, contract_, flat, quick()); },
              ThrowsMessage<Error>(HasSubstr("without any variation")));
}

TEST_F(QuantizedNetwork, RefusesALayerThatIsNotThere) {
  QuantizeOptions options = quick();
  options.keep_float = {"/nowhere/Conv"};
  EXPECT_THAT([&] { quantize_graph(graph_, contract_, pictures_, options); },
              ThrowsMessage<Error>(HasSubstr("/nowhere/Conv")));
}

}  // namespace
}  // namespace dualdepth::quantize
