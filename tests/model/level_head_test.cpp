#include "dualdepth/model/level_head.h"

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

class WinningLevels : public ::testing::TestWithParam<Case> {
 protected:
  WinningLevels() {
    const Case c = GetParam();
    torch::manual_seed(3);
    feature_ = torch::randn({c.batch, c.channels, c.height, c.width});
    weight_ = torch::randn({c.levels, c.channels, 3, 3});
    bias_ = torch::randn({c.levels});
  }

  torch::Tensor feature_, weight_, bias_;
};

// Where the two best logits differ clearly, the level is that of LibTorch's convolution and argmax.
TEST_P(WinningLevels, AreThoseOfTheConvolutionsArgmax) {
  const Case c = GetParam();
  const auto logits = torch::conv2d(feature_, weight_, bias_, 1, 1);
  const auto [best, order] = logits.topk(2, 1);
  const auto clear = (best.select(1, 0) - best.select(1, 1)) > 1e-3;
  testing::with_each_instruction_set([&] {
    for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
      const auto levels = winning_levels(feature_.contiguous(format), weight_, bias_);
      ASSERT_EQ(levels.sizes(), torch::IntArrayRef({c.batch, c.height, c.width}));
      ASSERT_EQ(levels.scalar_type(), torch::kInt64);
      EXPECT_TRUE(levels.masked_select(clear).equal(order.select(1, 0).masked_select(clear)));
    }
  });
  EXPECT_GT(clear.to(torch::kFloat32).mean().item<double>(), 0.95);
}

TEST_P(WinningLevels, ComeWithTheFractionsConvolution) {
  const auto fraction_weight = torch::randn({1, GetParam().channels, 3, 3});
  const auto fraction_bias = torch::randn({1});
  const auto expected =
      torch::conv2d(feature_.to(torch::kFloat64), fraction_weight.to(torch::kFloat64),
                    fraction_bias.to(torch::kFloat64), 1, 1)
          .squeeze(1);
  testing::with_each_instruction_set([&] {
    const auto heads = LevelHead({weight_, bias_, fraction_weight, fraction_bias})(feature_);
    EXPECT_TRUE(heads.level.equal(winning_levels(feature_, weight_, bias_)));
    ASSERT_EQ(heads.fraction_logits.sizes(), expected.sizes());
    EXPECT_LT((heads.fraction_logits - expected).abs().max().item<double>(), 2e-4);
  });
}

// LibTorch's argmax behind a Relu: of a pixel without a logit above 0 it is the first level.
TEST_P(WinningLevels, OfAPixelWhoseWinnerIsClippedAreTheFirst) {
  const auto logits = torch::conv2d(feature_, weight_, bias_, 1, 1);
  const auto median = logits.amax(1).median();  // half of all winners lie below
  const auto bias = bias_ - median;
  const auto relu = torch::conv2d(feature_, weight_, bias, 1, 1).relu();
  const auto best = std::get<0>(relu.topk(2, 1));
  const auto apart = best.select(1, 0) - best.select(1, 1) > 1e-3;
  const auto clear = apart.logical_or(logits.amax(1) - median < -1e-3);
  const auto levels = LevelHead({weight_, bias, {}, {}}, /*clipping_value=*/0)(feature_).level;
  EXPECT_TRUE(levels.masked_select(clear).equal(relu.argmax(1).masked_select(clear)));
  // The median itself is none, and one of 14 pixels in the smallest case.
  EXPECT_LE(clear.logical_not().sum().item<int64_t>(), 1 + clear.numel() / 20);
}

// Widths around the kernel's tile, levels around its groups.
INSTANTIATE_TEST_SUITE_P(Shapes, WinningLevels,
                         ::testing::Values(Case{1, 16, 8, 96, 256}, Case{2, 16, 5, 33, 256},
                                           Case{1, 16, 3, 1, 256}, Case{1, 16, 3, 5, 65},
                                           Case{1, 16, 2, 7, 63}, Case{3, 4, 4, 13, 2},
                                           Case{1, 64, 4, 12, 100}));

// Filters that differ in the bias alone, by less than the transform's rounding error: the sums in
// double precision say which is greater.
TEST(WinningLevels, NearTiesAreDecidedAsByAPlainSum) {
  torch::manual_seed(5);
  const auto feature = torch::randn({1, 16, 12, 50}) * 10;
  const auto weight = torch::randn({128, 16, 3, 3}).repeat({2, 1, 1, 1});
  const auto bias = torch::randn({128}).repeat({2}) + 4e-3 * torch::rand({256});
  const auto logits = torch::conv2d(feature.to(torch::kFloat64), weight.to(torch::kFloat64),
                                    bias.to(torch::kFloat64), 1, 1);
  const auto [best, order] = logits.topk(2, 1);
  const auto gap = best.select(1, 0) - best.select(1, 1);
  const auto clear = gap > 5e-4;  // logits reach 600, where a float32 is exact to 6e-5
  testing::with_each_instruction_set([&] {
    const auto levels = winning_levels(feature, weight, bias);
    EXPECT_TRUE(levels.masked_select(clear).equal(order.select(1, 0).masked_select(clear)));
  });
  EXPECT_GT(clear.to(torch::kFloat32).mean().item<double>(), 0.5);
  EXPECT_LT(gap.median().item<double>(), 5e-3);
}

// Pairs of filters of one tap that differ by some 1e-6 of their size, so that their transformed
// sums round differently: over inputs of +-10 by up to 8e-6 of a logit (float32 against float64 in
// Python torch).
TEST(WinningLevels, NearTiesOfSparseFiltersAreDecidedAsByAPlainSum) {
  for (const int64_t channels : {1, 4, 16}) {
    torch::manual_seed(7);
    const auto reach = static_cast<double>(channels);
    const auto feature = torch::randn({1, channels, 24, 96}).sign() * 10;
    auto taps = torch::zeros({128, channels, 3, 3});
    taps.select(2, 2).select(2, 1) = torch::randn({128, channels});
    const auto weight =
        torch::cat({taps, taps * (1 + 3e-6 * reach * torch::randn({128, channels, 1, 1}))});
    const auto bias = torch::randn({128}).repeat({2});
    const auto logits = torch::conv2d(feature.to(torch::kFloat64), weight.to(torch::kFloat64),
                                      bias.to(torch::kFloat64), 1, 1);
    const auto [best, order] = logits.topk(2, 1);
    const auto gap = best.select(1, 0) - best.select(1, 1);
    // Twice the distance of neighbouring float32 for each product that is summed.
    const auto clear = gap > 2 * reach * best.select(1, 0) * 1.2e-7;
    testing::with_each_instruction_set([&] {
      const auto levels = winning_levels(feature, weight, bias);
      EXPECT_TRUE(levels.masked_select(clear).equal(order.select(1, 0).masked_select(clear)))
          << channels << " channels";
    });
    EXPECT_GT(clear.to(torch::kFloat32).mean().item<double>(), 0.5) << channels;
    EXPECT_LT(gap.median().item<double>(), 1e-3 * reach) << channels;
  }
}

TEST(WinningLevels, OfEqualLogitsTheFirstLevelWins) {
  const auto feature = torch::ones({1, 2, 4, 20});
  const auto weight = torch::zeros({256, 2, 3, 3});
  auto bias = torch::zeros({256});
  bias[7] = bias[70] = bias[200] = 1;
  testing::with_each_instruction_set([&] {
    EXPECT_EQ(winning_levels(feature, weight, torch::zeros({256})).max().item<int64_t>(), 0);
    EXPECT_TRUE(winning_levels(feature, weight, bias).eq(7).all().item<bool>());
  });
}

TEST(WinningLevels, NegativeLogitsWinToo) {
  auto bias = torch::full({100}, -50.0F);  // levels behind the hundredth do not exist
  bias[99] = -49;
  testing::with_each_instruction_set([&] {
    const auto levels =
        winning_levels(torch::zeros({1, 1, 1, 9}), torch::zeros({100, 1, 3, 3}), bias);
    EXPECT_TRUE(levels.eq(99).all().item<bool>());
  });
}

// A filter that looks one pixel to the left: at the picture's edge it sees 0.
TEST(WinningLevels, ThePicturesBorderIsZero) {
  auto weight = torch::zeros({2, 1, 3, 3});
  weight[1][0][1][0] = 1;
  testing::with_each_instruction_set([&] {
    const auto levels =
        winning_levels(torch::ones({1, 1, 2, 8}), weight, torch::tensor({0.5F, 0.0F}));
    EXPECT_TRUE(levels.select(2, 0).eq(0).all().item<bool>());
    EXPECT_TRUE(levels.slice(2, 1).eq(1).all().item<bool>());
  });
}

}  // namespace
}  // namespace dualdepth
