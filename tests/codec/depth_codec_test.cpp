#include "dualdepth/codec/depth_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

CodecOptions options_of(CodecKind codec, Spacing spacing = Spacing::kLinear, int64_t levels = 256,
                        double min_depth = 0.1, double max_depth = 80) {
  return {.codec = codec,
          .spacing = spacing,
          .n_integer_levels = levels,
          .min_depth = min_depth,
          .max_depth = max_depth};
}

constexpr std::array kSpacings{Spacing::kLinear, Spacing::kLog, Spacing::kInverse};

double decode_one(const DepthCodec& codec, int64_t level, double fraction) {
  return codec.decode(torch::tensor({level}), torch::tensor({fraction}, torch::kFloat64))
      .item<double>();
}

torch::Tensor metres(const std::vector<double>& values) {
  return torch::tensor(values, torch::kFloat64);
}

// Depths over the whole range, dense at both ends of every spacing.
torch::Tensor depths_in_range() {
  const auto linear = torch::linspace(0.1, 80, 20001, torch::kFloat64);
  const auto inverse = torch::linspace(1 / 80.0, 1 / 0.1, 20001, torch::kFloat64).reciprocal();
  return torch::cat({linear, inverse}).clamp(0.1, 80);
}

// Boundaries in metres, by hand: K = 4 over 1..16 m.
//   linear  1, 4.75, 8.5, 12.25, 16      log  1, 2, 4, 8, 16
//   inverse 1/x = 1, .765625, .53125, .296875, .0625
TEST(DepthCodec, CutsTheAxisIntoLevelsOfEqualWidth) {
  const std::array<torch::Tensor, 3> boundaries{
      metres({1, 4.75, 8.5, 12.25, 16}), metres({1, 2, 4, 8, 16}),
      metres({1, .765625, .53125, .296875, .0625}).reciprocal()};
  for (size_t i = 0; i < kSpacings.size(); ++i) {
    const DepthCodec codec(options_of(CodecKind::kStep, kSpacings[i], 4, 1, 16));
    const auto just_above = boundaries[i].slice(0, 0, 4) * (1 + 1e-9);
    const auto just_below = boundaries[i].slice(0, 1, 5) * (1 - 1e-9);
    const auto levels = torch::arange(4);
    EXPECT_TRUE(torch::equal(codec.encode(just_above).level, levels)) << i;
    EXPECT_TRUE(torch::equal(codec.encode(just_below).level, levels)) << i;
    EXPECT_TRUE(torch::allclose(codec.encode(just_above).fraction, torch::zeros(4, torch::kFloat64),
                                0, 1e-7));
    EXPECT_TRUE(torch::allclose(codec.encode(just_below).fraction, torch::ones(4, torch::kFloat64),
                                0, 1e-7));
  }
}

TEST(DepthCodec, LastLevelHoldsMaxDepth) {
  for (const Spacing spacing : kSpacings) {
    const DepthCodec codec(options_of(CodecKind::kStep, spacing));
    const CodecTargets targets = codec.encode(metres({80.0}));
    EXPECT_EQ(targets.level.item<int64_t>(), 255);
    EXPECT_NEAR(targets.fraction.item<double>(), 1, 1e-9);
  }
}

TEST(DepthCodec, ReflectedFractionRunsBackwardsInOddLevels) {
  // K = 4 over 1..16 m log: 1.4142 m is half an octave into level 0, 2.8284 m into level 1,
  // 2^1.25 m a quarter into level 1.
  const DepthCodec codec(options_of(CodecKind::kReflected, Spacing::kLog, 4, 1, 16));
  const CodecTargets targets =
      codec.encode(metres({std::exp2(0.25), std::exp2(1.25), std::exp2(2.25), std::exp2(3.25)}));
  EXPECT_TRUE(torch::equal(targets.level, torch::arange(4)));
  EXPECT_TRUE(torch::allclose(targets.fraction, metres({0.25, 0.75, 0.25, 0.75}), 0, 1e-12));
  EXPECT_NEAR(decode_one(codec, 1, 0.75), std::exp2(1.25), 1e-12);
  EXPECT_NEAR(decode_one(codec, 2, 0.25), std::exp2(2.25), 1e-12);
}

TEST(DepthCodec, ReflectedFractionIsContinuousAcrossEveryBoundary) {
  for (const Spacing spacing : kSpacings) {
    for (const int64_t levels : {2, 3, 48, 256}) {
      const DepthCodec codec(options_of(CodecKind::kReflected, spacing, levels));
      const DepthCodec step(options_of(CodecKind::kStep, spacing, levels));
      const auto boundaries =
          step.decode(torch::arange(1, levels), torch::zeros(levels - 1, torch::kFloat64));
      const CodecTargets below = codec.encode(boundaries * (1 - 1e-10));
      const CodecTargets above = codec.encode(boundaries * (1 + 1e-10));
      ASSERT_TRUE(torch::equal(below.level + 1, above.level));
      EXPECT_TRUE(torch::allclose(below.fraction, above.fraction, 0, 1e-5));
    }
  }
}

TEST(DepthCodec, RoundTripIsExactForEveryCodecThatCanSayAllDepths) {
  const auto depth = depths_in_range();
  for (const CodecKind kind : {CodecKind::kReflected, CodecKind::kStep}) {
    for (const Spacing spacing : kSpacings) {
      for (const int64_t levels : {2, 255, 256}) {
        const DepthCodec codec(options_of(kind, spacing, levels));
        const CodecTargets targets = codec.encode(depth);
        EXPECT_TRUE(torch::allclose(codec.decode(targets.level, targets.fraction), depth, 1e-9, 0));
      }
    }
  }
}

TEST(DepthCodec, FloatRoundTripErrsByLessThanATenthOfAMillimetreOverLinearAxis) {
  const DepthCodec codec(options_of(CodecKind::kReflected));
  const auto depth = depths_in_range().to(torch::kFloat32);
  const CodecTargets targets = codec.encode(depth);
  EXPECT_EQ(targets.fraction.scalar_type(), torch::kFloat32);
  EXPECT_LT((codec.decode(targets.level, targets.fraction) - depth).abs().max().item<float>(),
            1e-4);
}

TEST(DepthCodec, TargetsStayWhatTheHeadsCanSay) {
  const auto depth = torch::linspace(-1, 100, 5001, torch::kFloat64);
  for (const auto& [kind, name] : EnumNames<CodecKind>::values) {
    const DepthCodec codec(options_of(kind));
    const CodecTargets targets = codec.encode(depth);
    EXPECT_TRUE(targets.fraction.ge(0).logical_and(targets.fraction.le(1)).all().item<bool>())
        << name;
    EXPECT_TRUE(targets.level.ge(0).logical_and(targets.level.le(255)).all().item<bool>()) << name;
  }
}

TEST(DepthCodec, DecodedDepthStaysInTheCodecsRange) {
  const auto level = torch::arange(256).unsqueeze(1);
  const auto fraction = torch::linspace(0, 1, 11, torch::kFloat64).unsqueeze(0);
  for (const Spacing spacing : kSpacings) {
    const auto depth =
        DepthCodec(options_of(CodecKind::kReflected, spacing)).decode(level, fraction);
    EXPECT_GE(depth.min().item<double>(), 0.1);
    EXPECT_LE(depth.max().item<double>(), 80.0);
  }
  const auto rounded = DepthCodec(options_of(CodecKind::kRounded)).decode(level, fraction);
  EXPECT_EQ(rounded.min().item<double>(), 0.0);
  EXPECT_EQ(rounded.max().item<double>(), 81.0);
}

TEST(DepthCodec, RoundedAgreesWithTheOriginalFunctionsWhereTheResidualIsPositive) {
  const DepthCodec codec(options_of(CodecKind::kRounded, Spacing::kLinear, 256, 0.1, 30));
  const auto depth = torch::linspace(0.1, 30, 4001, torch::kFloat64);
  const auto [integer, fraction] = decompose_depth(depth, 30);
  const CodecTargets targets = codec.encode(depth);
  EXPECT_TRUE(torch::allclose(targets.level.to(torch::kFloat64) / 255, integer));
  EXPECT_TRUE(torch::allclose(targets.fraction, fraction.clamp(0, 1)));
  EXPECT_TRUE(torch::allclose(codec.decode(targets.level, targets.fraction),
                              dual_head_to_depth(integer, fraction.clamp(0, 1), 30)));
}

TEST(DepthCodec, ContinuousLevelNeedNotBeWhole) {
  const DepthCodec codec(options_of(CodecKind::kContinuous, Spacing::kLinear, 48, 0.1, 15));
  EXPECT_EQ(codec.integer_channels(), 1);
  const auto logits = torch::tensor({{{0.0, 100.0}}}, torch::kFloat64);  // [N = 1, 1, 2 pixels]
  const auto level = codec.choose_level(logits);
  EXPECT_TRUE(torch::allclose(level, metres({23.5, 47.0}).unsqueeze(0)));
  EXPECT_TRUE(torch::allclose(codec.decode(level, torch::full_like(level, 0.25)),
                              metres({7.75, 15.25}).unsqueeze(0)));
}

TEST(DepthCodec, ChoosesTheLargestLogit) {
  const DepthCodec codec(options_of(CodecKind::kReflected, Spacing::kLinear, 3));
  const auto logits = torch::tensor({{1.0, 3.0, 2.0}, {5.0, 4.0, -1.0}});
  EXPECT_TRUE(torch::equal(codec.choose_level(logits), torch::tensor({1, 0})));
}

TEST(DepthCodec, ChoosesAlongTheDimensionOfTheLevels) {
  const auto logits = torch::tensor({{1.0, 5.0}, {3.0, 4.0}, {2.0, -1.0}});  // [K = 3, 2 pixels]
  const DepthCodec reflected(options_of(CodecKind::kReflected, Spacing::kLinear, 3));
  EXPECT_TRUE(torch::equal(reflected.choose_level(logits, 0), torch::tensor({1, 0})));
  const auto in_the_middle = logits.unsqueeze(0).expand({2, 3, 2});
  EXPECT_TRUE(torch::equal(reflected.choose_level(in_the_middle), torch::tensor({{1, 0}, {1, 0}})));
  const DepthCodec continuous(options_of(CodecKind::kContinuous, Spacing::kLinear, 3));
  const auto level = continuous.choose_level(torch::zeros({1, 4}), 0);  // sigmoid(0) * 2
  EXPECT_TRUE(torch::equal(level, torch::ones({4})));
}

// By hand from the header: reflected and step take the nearest depth in range, the original's two
// let the residual run into the fraction's ends, 0 and 1.
TEST(DepthCodec, EncodesDepthOutOfRange) {
  const auto outside = metres({-1, 0.05, 90});
  for (const auto kind : {CodecKind::kReflected, CodecKind::kStep}) {
    const DepthCodec codec(options_of(kind));
    const CodecTargets targets = codec.encode(outside);
    const CodecTargets nearest = codec.encode(metres({0.1, 0.1, 80}));
    EXPECT_TRUE(torch::equal(targets.level, nearest.level)) << enum_name(kind);
    EXPECT_TRUE(torch::equal(targets.fraction, nearest.fraction)) << enum_name(kind);
  }
  for (const auto kind : {CodecKind::kRounded, CodecKind::kContinuous}) {
    const CodecTargets targets = DepthCodec(options_of(kind)).encode(outside);
    EXPECT_TRUE(torch::equal(targets.level.to(torch::kFloat64), metres({0, 0, 255})));
    EXPECT_TRUE(torch::allclose(targets.fraction, metres({0, 0.05, 1}))) << enum_name(kind);
  }
}

TEST(DepthCodec, OnlyDepthsFromMinToMaxAreInRange) {
  const DepthCodec codec(options_of(CodecKind::kReflected, Spacing::kLinear, 256, 0.5, 15));
  const auto depth = torch::tensor({0.0, 0.49, 0.5, 15.0, 15.01});
  EXPECT_TRUE(
      torch::equal(codec.in_range(depth), torch::tensor({false, false, true, true, false})));
}

TEST(DepthCodec, LevelDepthsAreDecodedFromTheMiddleOfEachLevel) {
  for (const Spacing spacing : kSpacings) {
    const DepthCodec codec(options_of(CodecKind::kReflected, spacing));
    const auto middle = codec.decode(torch::arange(256), torch::full(256, 0.5)).to(torch::kFloat32);
    EXPECT_TRUE(torch::allclose(codec.level_depths(), middle));
  }
  const DepthCodec rounded(options_of(CodecKind::kRounded, Spacing::kLinear, 256, 0.1, 30));
  EXPECT_NEAR(rounded.level_depths()[85].item<float>(), 10, 1e-6);
  const DepthCodec continuous(options_of(CodecKind::kContinuous, Spacing::kLinear, 256, 0.1, 30));
  EXPECT_EQ(continuous.level_depths().size(0), 256);
  EXPECT_NEAR(continuous.level_depths()[85].item<float>(), 10, 1e-6);
}

TEST(DepthCodec, PositionIsOnTheAxisOfLevelPositions) {
  for (const auto& [kind, name] : EnumNames<CodecKind>::values) {
    const DepthCodec codec(options_of(kind));
    const auto centres = codec.level_depths().clamp(0.1, 80).slice(0, 1);
    EXPECT_TRUE(torch::allclose(codec.encode(centres).position, codec.level_positions().slice(0, 1),
                                0, 1e-4))
        << name;
  }
}

TEST(CodecOptions, ImpossibleCombinationsNameTheKey) {
  const auto codec_of = [](const CodecOptions& options) { return [=] { DepthCodec{options}; }; };
  EXPECT_THAT(codec_of(options_of(CodecKind::kRounded, Spacing::kLog)),
              ThrowsMessage<ConfigError>(HasSubstr("model.params.spacing: expected linear")));
  EXPECT_THAT(codec_of(options_of(CodecKind::kStep, Spacing::kLinear, 257)),
              ThrowsMessage<ConfigError>(HasSubstr("expected 2 to 256, got 257")));
  EXPECT_THAT(codec_of(options_of(CodecKind::kStep, Spacing::kLinear, 256, 80, 80)),
              ThrowsMessage<ConfigError>(HasSubstr("model.params.min_depth")));
}

}  // namespace
}  // namespace dualdepth
