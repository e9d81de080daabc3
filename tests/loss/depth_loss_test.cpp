#include "dualdepth/loss/depth_loss.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <array>
#include <cmath>
#include <utility>

#include "dualdepth/loss/silog.h"
#include "loss/finite_difference.h"
#include "loss/golden_pixels.h"

namespace dualdepth {
namespace {

// Values from loss_golden.py.
TEST(DepthLoss, AgreesWithNumPy) {
  struct Golden {
    CodecKind codec;
    LossOptions options;
    double integer, fractional, consistency, total;
  };
  const auto options = [](IntegerLossKind integer, ConsistencyLossKind consistency,
                          double sigma = 1, double logsumexp_weight = 0) {
    LossOptions made;
    made.integer = integer;
    made.consistency = consistency;
    made.soft_label_sigma = sigma;
    made.logsumexp_weight = logsumexp_weight;
    return made;
  };
  using enum IntegerLossKind;
  using enum ConsistencyLossKind;
  const std::array goldens{
      Golden{CodecKind::kReflected, options(kSoftLabels, kSiLog), 2.878165725, 0.375556636,
             1.302713712, 7.285088941},
      Golden{CodecKind::kReflected, options(kSoftLabels, kSiLog, 0.4), 2.730117649, 0.375556636,
             1.302713712, 7.137040865},
      Golden{CodecKind::kReflected, options(kCrossEntropy, kL1, 1.0, 0.02), 2.768813361,
             0.375556636, 6.901506739, 9.975133090},
      Golden{CodecKind::kStep, options(kOrdinal, kSiLog), 7.793641349, 0.347054489, 1.302713712,
             11.915543100},
      Golden{CodecKind::kRounded, options(kSoftLabels, kL1), 2.937387508, 0.354692590, 7.298544579,
             10.133585694},
      Golden{CodecKind::kRounded, options(kCrossEntropy, kSiLog), 2.904434230, 0.354692590,
             1.319552328, 7.111136291},
      Golden{CodecKind::kContinuous, options(kCrossEntropy, kSiLog), 0.400842112, 0.354692590,
             1.488188776, 4.691862397},
  };
  for (size_t i = 0; i < goldens.size(); ++i) {
    const Golden& golden = goldens[i];
    const LossTerms terms = GoldenPixels().loss(model_of(golden.codec), golden.options);
    EXPECT_NEAR(terms.integer.item<double>(), golden.integer, 1e-6) << i;
    EXPECT_NEAR(terms.fractional.item<double>(), golden.fractional, 1e-6) << i;
    EXPECT_NEAR(terms.consistency.item<double>(), golden.consistency, 1e-6) << i;
    EXPECT_NEAR(terms.total.item<double>(), golden.total, 1e-5) << i;
    EXPECT_EQ(terms.pixels, 5);
    EXPECT_EQ(terms.out_of_range, 1);
  }
}

TEST(DepthLoss, GradientsEqualFiniteDifferencesForEveryObjective) {
  const GoldenPixels pixels;
  for (const auto& [codec, codec_name] : EnumNames<CodecKind>::values) {
    for (const auto& [integer, integer_name] : EnumNames<IntegerLossKind>::values) {
      for (const auto& [consistency, name] : EnumNames<ConsistencyLossKind>::values) {
        LossOptions options;
        options.integer = integer;
        options.consistency = consistency;
        options.logsumexp_weight = 0.02;
        const DepthLoss loss(model_of(codec), options);
        const auto logits =
            codec == CodecKind::kContinuous ? pixels.logits.narrow(1, 0, 1) : pixels.logits;
        SCOPED_TRACE(testing::Message() << codec_name << ' ' << integer_name << ' ' << name);
        expect_gradient_is_exact(
            [&](const auto& x) { return loss(x, pixels.fraction, pixels.depth).total; },
            logits.contiguous());
      }
    }
    const DepthLoss loss(model_of(codec), {});
    const auto logits =
        codec == CodecKind::kContinuous ? pixels.logits.narrow(1, 0, 1) : pixels.logits;
    expect_gradient_is_exact([&](const auto& x) { return loss(logits, x, pixels.depth).total; },
                             pixels.fraction);
  }
}

// Weakness 4 of the original: its consistency term composed depth through argmax.
TEST(DepthLoss, ConsistencyReachesTheIntegerHeadWhereArgmaxDoesNot) {
  const GoldenPixels pixels;
  LossOptions only_consistency;
  only_consistency.params = {.integer_weight = 0, .fractional_weight = 0, .consistency_weight = 1};
  for (const auto& [consistency, name] : EnumNames<ConsistencyLossKind>::values) {
    only_consistency.consistency = consistency;
    const auto logits = pixels.logits.clone().requires_grad_(true);
    const auto fraction = pixels.fraction.clone().requires_grad_(true);
    const DepthLoss loss(model_of(CodecKind::kReflected), only_consistency);
    loss(logits, fraction, pixels.depth).total.backward();
    EXPECT_GT(logits.grad().narrow(0, 0, 5).abs().amin(1).min().item<double>(), 1e-5) << name;
    EXPECT_EQ(fraction.grad().abs().max().item<double>(), 0) << name;
  }
  const DepthCodec codec(model_of(CodecKind::kRounded).params.codec);
  const auto logits = pixels.logits.clone().requires_grad_(true);
  const auto composed = codec.decode(codec.choose_level(logits), pixels.fraction.sigmoid());
  EXPECT_FALSE(composed.requires_grad());
}

TEST(DepthLoss, PixelsOutOfRangeHaveNoGradientAndNoInfluence) {
  const GoldenPixels pixels;
  const DepthLoss loss(model_of(CodecKind::kReflected), {});
  const auto logits = pixels.logits.clone().requires_grad_(true);
  auto depth = pixels.depth.clone();
  depth[5] = std::nan("");
  const LossTerms with = loss(logits, pixels.fraction, depth);
  with.total.backward();
  EXPECT_EQ(logits.grad()[5].abs().max().item<double>(), 0);
  EXPECT_GT(logits.grad().narrow(0, 0, 5).abs().amax(1).min().item<double>(), 0);
  const LossTerms without = loss(pixels.logits.narrow(0, 0, 5), pixels.fraction.narrow(0, 0, 5),
                                 pixels.depth.narrow(0, 0, 5));
  EXPECT_NEAR(with.total.item<double>(), without.total.item<double>(), 1e-12);
  EXPECT_EQ(with.out_of_range, 1);
}

// A masked pixel may hold anything; in float32, as in training.
TEST(DepthLoss, HugeLogitsAreFiniteAndHaveNoInfluenceAtAMaskedPixel) {
  const GoldenPixels pixels;
  for (const auto& [codec, codec_name] : EnumNames<CodecKind>::values) {
    for (const auto& [integer, integer_name] : EnumNames<IntegerLossKind>::values) {
      SCOPED_TRACE(testing::Message() << codec_name << ' ' << integer_name);
      LossOptions options;
      options.integer = integer;
      const DepthLoss loss(model_of(codec), options);
      const int64_t channels = codec == CodecKind::kContinuous ? 1 : kLevels;
      const auto run = [&](int64_t masked_pixels, float size) {
        auto logits = pixels.logits.narrow(1, 0, channels).to(torch::kFloat32).contiguous();
        logits[5] = size * torch::linspace(-1, 1, channels + 1).narrow(0, 1, channels);
        const auto leaf = logits.narrow(0, 0, 5 + masked_pixels).clone().requires_grad_();
        const auto fraction = pixels.fraction.to(torch::kFloat32).narrow(0, 0, 5 + masked_pixels);
        const auto depth = pixels.depth.to(torch::kFloat32).narrow(0, 0, 5 + masked_pixels);
        const LossTerms terms = loss(leaf, fraction, depth);
        terms.total.backward();
        return std::pair{terms.total.item<double>(), leaf.grad()};
      };
      const auto [without, plain_gradient] = run(0, 0);
      for (const float size : {1e4F, -1e4F, 1e30F}) {
        const auto [with, gradient] = run(1, size);
        EXPECT_NEAR(with, without, 1e-5 * without) << size;
        EXPECT_EQ(gradient[5].abs().max().item<float>(), 0) << size;
        EXPECT_TRUE(torch::allclose(gradient.narrow(0, 0, 5), plain_gradient, 1e-4, 1e-6)) << size;
      }
    }
  }
}

// Logits as large as a network that diverges gives them, at pixels that count.
TEST(DepthLoss, HugeLogitsHaveAFiniteLossAndGradient) {
  const GoldenPixels pixels;
  for (const auto& [integer, integer_name] : EnumNames<IntegerLossKind>::values) {
    LossOptions options;
    options.integer = integer;
    const auto logits = (1e4 * pixels.logits.to(torch::kFloat32)).requires_grad_();
    const LossTerms terms = DepthLoss(model_of(CodecKind::kReflected), options)(
        logits, pixels.fraction.to(torch::kFloat32), pixels.depth.to(torch::kFloat32));
    terms.total.backward();
    EXPECT_TRUE(std::isfinite(terms.total.item<double>())) << integer_name;
    EXPECT_TRUE(logits.grad().isfinite().all().item<bool>()) << integer_name;
  }
}

TEST(DepthLoss, HasTheSameBitsInLossAndGradientWithAnyNumberOfThreads) {
  torch::manual_seed(4);
  constexpr int64_t kPixels = 5000;
  const auto logits = torch::randn({kPixels, kLevels});
  const auto fraction = torch::randn({kPixels});
  const auto depth = 0.6 + 19 * torch::rand({kPixels});
  const auto run = [&](int threads) {
    const int before = at::get_num_threads();
    at::set_num_threads(threads);
    const auto leaf = logits.clone().requires_grad_();
    const LossTerms terms = DepthLoss(model_of(CodecKind::kReflected), {})(leaf, fraction, depth);
    terms.total.backward();
    at::set_num_threads(before);
    return std::pair{terms.total.detach(), leaf.grad()};
  };
  const auto [loss, gradient] = run(1);
  for (const int threads : {2, 3}) {
    const auto [other_loss, other_gradient] = run(threads);
    EXPECT_TRUE(torch::equal(loss, other_loss)) << threads;
    EXPECT_TRUE(torch::equal(gradient, other_gradient)) << threads;
  }
}

TEST(DepthLoss, ListWithoutAPixelInRangeCountsAsNothing) {
  const DepthLoss loss(model_of(CodecKind::kReflected), {});
  const LossTerms none = loss(torch::empty({0, kLevels}), torch::empty({0}), torch::empty({0}));
  EXPECT_TRUE(none.empty());
  EXPECT_FALSE(none.total.defined());
  const LossTerms far = loss(torch::zeros({2, kLevels}), torch::zeros({2}), torch::full({2}, 99.0));
  EXPECT_TRUE(far.empty());
  EXPECT_EQ(far.out_of_range, 2);
}

TEST(DepthLoss, ScalesAddUpByWeightAndEmptyOnesCountAsNothing) {
  const GoldenPixels pixels;
  const DepthLoss loss(model_of(CodecKind::kReflected), {});
  const LossTerms fine = loss(pixels.logits, pixels.fraction, pixels.depth);
  const LossTerms coarse = loss(pixels.logits * 0.5, pixels.fraction, pixels.depth);
  const std::array scales{fine, LossTerms{}, coarse};
  const LossTerms sum = weighted_sum(scales, std::array{1.0, 0.5, 0.25, 0.0});
  EXPECT_NEAR(sum.total.item<double>(),
              fine.total.item<double>() + 0.25 * coarse.total.item<double>(), 1e-12);
  EXPECT_EQ(sum.pixels, 5);
  EXPECT_TRUE(weighted_sum(std::array{LossTerms{}}, std::array{1.0}).empty());
}

// By hand: errors ln 2 and ln 4 have mean square 2.5 ln^2 2 and squared mean 2.25 ln^2 2.
TEST(SiLog, ForgivesItsShareOfACommonFactor) {
  const auto depth = torch::tensor({1.0, 1.0, 3.0}, torch::kFloat64);
  const auto prediction = torch::tensor({2.0, 4.0, 1e9}, torch::kFloat64);
  const auto counts = torch::tensor({1.0, 1.0, 0.0}, torch::kFloat64);
  const double ln2 = std::log(2.0);
  const auto at = [&](double lambda) {
    return silog(prediction, depth, counts, lambda).item<double>();
  };
  EXPECT_NEAR(at(0), ln2 * std::sqrt(2.5), 1e-7);
  EXPECT_NEAR(at(1), ln2 * 0.5, 1e-7);
  EXPECT_NEAR(at(0.85), ln2 * std::sqrt(2.5 - 0.85 * 2.25), 1e-7);
}

// The formula as it stands takes the difference of two equal numbers here; where rounding makes it
// negative, its root is NaN. Every loss is the spread that rounding leaves: 1e-4 and nothing else.
TEST(SiLog, OfACommonFactorIsFiniteInFloat32WhenItIsForgivenEntirely) {
  torch::manual_seed(6);
  for (int64_t count = 2; count < 8; ++count) {
    for (int repeat = 0; repeat < 50; ++repeat) {
      const auto depth = 1 + 79 * torch::rand({count});
      const auto prediction = ((1 + 9 * torch::rand({1})) * depth).requires_grad_();
      const auto loss = silog(prediction, depth, torch::ones({count}), 1);
      loss.backward();
      EXPECT_NEAR(loss.item<double>(), 1e-4, 1e-6) << count;
      EXPECT_TRUE(prediction.grad().isfinite().all().item<bool>()) << count;
    }
  }
}

TEST(SiLog, GradientIsFiniteWhereThePredictionIsRight) {
  const auto depth = torch::tensor({1.0, 5.0}, torch::kFloat64);
  const auto prediction = depth.clone().requires_grad_(true);
  const auto loss = silog(prediction, depth, torch::ones_like(depth), 1);
  EXPECT_NEAR(loss.item<double>(), 1e-4, 1e-12);
  loss.backward();
  EXPECT_EQ(prediction.grad().abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace dualdepth
