#include "dualdepth/model/integer_level_head.h"

#include <gtest/gtest.h>
#include <torch/nn/functional/conv.h>
#include <torch/utils.h>

#include "testing/instruction_sets.h"

namespace dualdepth {
namespace {

struct Case {
  int64_t batch, channels, height, width, levels, zero_point;
  bool per_channel;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.batch << "x" << c.channels << "x" << c.height << "x" << c.width << ", " << c.levels
       << " levels, zero point " << c.zero_point;
}

class IntegerLevels : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!IntegerLevelHead::is_supported()) GTEST_SKIP() << "needs a CPU with AVX-512 VNNI";
  }
};

// The sums in double precision say which level is the first of the greatest.
TEST_P(IntegerLevels, AreThoseOfTheConvolutionsArgmax) {
  const Case c = GetParam();
  torch::manual_seed(3);
  constexpr float kInputScale = 0.037F;
  const auto steps = torch::randint(0, 256, {c.batch, c.channels, c.height, c.width});
  const auto filters = torch::randint(-127, 128, {c.levels, c.channels, 3, 3});
  const auto scale =
      c.per_channel ? 0.01 + 0.02 * torch::rand({c.levels}) : torch::full({1}, 0.02F);
  const auto weight = filters * scale.view({-1, 1, 1, 1});
  const auto bias = 10 * torch::randn({c.levels});
  const auto logits = torch::conv2d((steps - c.zero_point).to(torch::kFloat64),
                                    filters.to(torch::kFloat64), {}, 1, 1) *
                          (scale.to(torch::kFloat64) * kInputScale).view({1, -1, 1, 1}) +
                      bias.to(torch::kFloat64).view({1, -1, 1, 1});
  const auto [best, order] = logits.topk(std::min<int64_t>(2, c.levels), 1);
  const auto clear = (best.select(1, 0) - best.select(1, 1)) > 1e-4;
  const IntegerHeadGrids grids{scale, kInputScale, c.zero_point};
  const IntegerLevelHead head(weight.to(torch::kFloat32), bias, grids);
  for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
    const auto levels = head(steps.to(torch::kUInt8).contiguous(format));
    ASSERT_EQ(levels.sizes(), torch::IntArrayRef({c.batch, c.height, c.width}));
    EXPECT_TRUE(levels.masked_select(clear).equal(order.select(1, 0).masked_select(clear)));
  }
  EXPECT_GT(clear.to(torch::kFloat32).mean().item<double>(), 0.95);

  // Half of all winners clipped, as by a lowest code: ArgMax then returns the first level.
  IntegerHeadGrids clipping = grids;
  clipping.clipping_value = logits.amax(1).median().item<float>() + 1e-3F;
  const IntegerLevelHead clipped(weight.to(torch::kFloat32), bias, clipping);
  const auto expected =
      torch::where(logits.amax(1) <= clipping.clipping_value, 0, order.select(1, 0));
  const auto is_clear = clear.logical_and((logits.amax(1) - clipping.clipping_value).abs() > 1e-4);
  const auto levels = clipped(steps.to(torch::kUInt8));
  EXPECT_TRUE(levels.masked_select(is_clear).equal(expected.masked_select(is_clear)));
}

// Widths around the kernel's tile, levels around its groups, channels around a quad.
INSTANTIATE_TEST_SUITE_P(
    Shapes, IntegerLevels,
    ::testing::Values(Case{1, 16, 40, 96, 256, 0, true}, Case{2, 16, 5, 33, 256, 77, false},
                      Case{1, 16, 3, 1, 256, 255, true}, Case{1, 16, 3, 5, 65, 3, false},
                      Case{3, 3, 4, 13, 2, 128, true}, Case{1, 66, 4, 12, 100, 9, true}));

TEST(IntegerLevelsOfTies, OfEqualLogitsTheFirstLevelWins) {
  if (!IntegerLevelHead::is_supported()) GTEST_SKIP() << "needs a CPU with AVX-512 VNNI";
  auto bias = torch::zeros({256});
  bias[7] = bias[70] = bias[200] = 1;
  const IntegerLevelHead head(torch::zeros({256, 4, 3, 3}), bias, {torch::ones({1}), 1, 0});
  EXPECT_TRUE(head(torch::ones({1, 4, 4, 20}, torch::kUInt8)).eq(7).all().item<bool>());
}

TEST(IntegerLevelHead, IsNotSupportedWithoutAvx512) {
  const testing::OnlyInstructionSet only(HWY_AVX2);
  EXPECT_FALSE(IntegerLevelHead::is_supported());
}

}  // namespace
}  // namespace dualdepth
