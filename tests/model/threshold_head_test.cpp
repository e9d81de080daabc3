#include "dualdepth/model/threshold_head.h"

#include <gtest/gtest.h>
#include <torch/nn/functional/conv.h>
#include <torch/utils.h>

#include "testing/instruction_sets.h"

namespace dualdepth {
namespace {

struct Case {
  int64_t batch, channels, height, width, levels;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.batch << "x" << c.channels << "x" << c.height << "x" << c.width << ", " << c.levels;
}

class ClippedSums : public ::testing::TestWithParam<Case> {};

// LibTorch's convolution in double, clipped and summed. About a tenth of the thresholds lie between
// 0 and 1.
TEST_P(ClippedSums, AreThoseOfTheConvolution) {
  const Case c = GetParam();
  torch::manual_seed(4);
  const auto feature = torch::randn({c.batch, c.channels, c.height, c.width});
  const auto weight = torch::randn({c.levels, c.channels, 3, 3});
  const auto bias = torch::randn({c.levels});
  const auto logits = torch::conv2d(feature.to(torch::kFloat64), weight.to(torch::kFloat64),
                                    bias.to(torch::kFloat64), 1, 1);
  const auto expected = logits.clamp(0, 1).sum(1);
  testing::with_each_instruction_set([&] {
    for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
      const auto sums = ThresholdHead({weight, bias, {}, {}})(feature.contiguous(format));
      ASSERT_EQ(sums.sizes(), torch::IntArrayRef({c.batch, c.height, c.width}));
      ASSERT_EQ(sums.scalar_type(), torch::kFloat32);
      EXPECT_LT((sums - expected).abs().max().item<double>(), 2e-3);
      EXPECT_LT((sums - expected).abs().mean().item<double>(), 1e-4);
    }
  });
}

// Widths around the kernel's tile, levels around its groups.
INSTANTIATE_TEST_SUITE_P(Shapes, ClippedSums,
                         ::testing::Values(Case{1, 16, 8, 24, 256}, Case{2, 16, 5, 7, 256},
                                           Case{1, 3, 4, 25, 48}, Case{1, 64, 3, 30, 65},
                                           Case{1, 32, 17, 1, 2}, Case{3, 1, 1, 2, 7}));

TEST(ThresholdHead, GivesTheSameSumsWithAnyNumberOfThreads) {
  torch::manual_seed(5);
  const ThresholdHead head({torch::randn({256, 16, 3, 3}), torch::randn({256}), {}, {}});
  const auto feature = torch::randn({1, 16, 40, 24});
  const auto expected = head(feature);
  for (const int threads : {1, 3}) EXPECT_TRUE(head(feature, threads).equal(expected));
}

TEST(ThresholdHead, CountsSaturatedThresholdsExactly) {
  const auto weight = torch::zeros({256, 16, 3, 3});
  auto bias = torch::full({256}, -1e6F);
  bias.slice(0, 0, 100).fill_(1e6F);
  const auto sums = ThresholdHead({weight, bias, {}, {}})(torch::randn({1, 16, 4, 4}));
  EXPECT_TRUE(sums.equal(torch::full({1, 4, 4}, 100.F)));
}

}  // namespace
}  // namespace dualdepth
