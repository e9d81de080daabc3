#include "dualdepth/codec/level_distribution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "dualdepth/codec/depth_codec.h"

namespace dualdepth {
namespace {

// Four levels of 2 m from 1 to 9 m.
CodecOptions four_levels(CodecKind codec) {
  CodecOptions options;
  options.codec = codec;
  options.n_integer_levels = 4;
  options.min_depth = 1;
  options.max_depth = 9;
  return options;
}

// Logits of these shares, of one pixel, [1, 4].
torch::Tensor logits_of(const std::vector<float>& shares) {
  return torch::tensor(shares).log().unsqueeze(0) + 3;
}

TEST(LevelPlaces, AreWhatTheCodecDecodes) {
  for (const auto kind : {CodecKind::kReflected, CodecKind::kStep, CodecKind::kRounded}) {
    const CodecOptions options = four_levels(kind);
    const auto [start, slope] = level_places(options);
    const auto level = torch::arange(4).unsqueeze(1);
    const auto fraction = torch::tensor({0.F, 0.25F, 1.F}).expand({4, 3});
    const auto place = start.unsqueeze(1) + slope.unsqueeze(1) * fraction;
    const auto expected = DepthCodec(options).decode(level.expand({4, 3}), fraction);
    EXPECT_TRUE(torch::allclose(depth_at_place(place, options), expected, 0, 1e-6));
  }
}

// Shares .1, .2, .3, .4 and the fraction .25. Reflected: places .25, 1.75, 2.25, 3.75, mean 2.55,
// which is 1 + 2 * 2.55 m. Step: mean level 2 and .25. Rounded: levels are 3 m apart from 0, mean
// 6.25 m.
TEST(ExpectedDepth, IsTheDepthAtTheMeanPlace) {
  const auto depth = [](CodecKind kind) {
    return expected_depth(logits_of({0.1F, 0.2F, 0.3F, 0.4F}), torch::tensor({0.25F}),
                          four_levels(kind), 1)
        .item<double>();
  };
  EXPECT_NEAR(depth(CodecKind::kReflected), 6.1, 1e-5);
  EXPECT_NEAR(depth(CodecKind::kStep), 5.5, 1e-5);
  EXPECT_NEAR(depth(CodecKind::kRounded), 6.25, 1e-5);
}

// Over a log axis the mean place is the geometric mean: 1 to 16 m in four levels, half at the start
// of level 0 (1 m) and half at the start of level 2 (4 m).
TEST(ExpectedDepth, FollowsTheSpacing) {
  CodecOptions options = four_levels(CodecKind::kStep);
  options.spacing = Spacing::kLog;
  options.max_depth = 16;
  const auto logits = torch::tensor({5.F, -90.F, 5.F, -90.F}).unsqueeze(0);
  EXPECT_NEAR(expected_depth(logits, torch::zeros({1}), options, 1).item<double>(), 2, 1e-5);
}

TEST(MedianLevel, IsTheFirstThatReachesHalfOfAll) {
  const auto level = [](const std::vector<float>& shares) {
    return median_level(logits_of(shares), 1).item<int64_t>();
  };
  EXPECT_EQ(level({0.1F, 0.2F, 0.3F, 0.4F}), 2);
  EXPECT_EQ(level({0.6F, 0.2F, 0.1F, 0.1F}), 0);
  EXPECT_EQ(level({0.4F, 0.05F, 0.1F, 0.45F}), 2);  // between two modes
  EXPECT_EQ(level({0.01F, 0.01F, 0.01F, 0.97F}), 3);
}

TEST(MedianLevel, TakesMapsOfLevels) {
  const auto logits = torch::randn({2, 7, 3, 5});
  const auto levels = median_level(logits, 1);
  ASSERT_EQ(levels.sizes(), torch::IntArrayRef({2, 3, 5}));
  const auto pixel = median_level(logits[1].select(2, 4).select(1, 2).unsqueeze(0), 1);
  EXPECT_EQ(levels[1][2][4].item<int64_t>(), pixel.item<int64_t>());
}

}  // namespace
}  // namespace dualdepth
