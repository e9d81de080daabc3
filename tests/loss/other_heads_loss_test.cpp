// DepthLoss of heads that are not categorical.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "loss/finite_difference.h"
#include "loss/golden_pixels.h"

namespace dualdepth {
namespace {

TEST(DepthLossOfOtherHeads, PlainSigmoidDepthAgreesWithNumPy) {
  ModelOptions model = model_of(CodecKind::kReflected);
  model.params.use_dual_head = false;  // the original's key
  for (const ModelOptions& same : {model, model_of(HeadKind::kSigmoid)}) {
    const LossTerms terms = GoldenPixels().loss(same, {});
    EXPECT_NEAR(terms.total.item<double>(), 2.270771459, 1e-6);
    EXPECT_EQ(terms.consistency.item<double>(), terms.total.item<double>());
    EXPECT_EQ(terms.integer.item<double>(), 0);
  }
}

// Values from loss_golden.py.
TEST(DepthLossOfOtherHeads, OfACumulativeHeadAgreesWithNumPy) {
  struct Golden {
    ThresholdWeighting weighting;
    Spacing spacing;
    ConsistencyLossKind consistency;
    double integer, of_depth, total;
  };
  using enum ThresholdWeighting;
  using enum ConsistencyLossKind;
  const std::array goldens{
      Golden{kInverseDepth, Spacing::kLinear, kSiLog, 0.937165975, 1.304518646, 1.589425298},
      Golden{kInverseDepth, Spacing::kLog, kL1, 1.014857878, 6.753976860, 4.391846308},
      Golden{kUniform, Spacing::kInverse, kSiLog, 0.925623226, 1.405896774, 1.628571613},
  };
  for (size_t i = 0; i < goldens.size(); ++i) {
    const Golden& golden = goldens[i];
    LossOptions options;
    options.threshold_weighting = golden.weighting;
    options.consistency = golden.consistency;
    const LossTerms terms =
        GoldenPixels().loss(model_of(HeadKind::kCumulative, golden.spacing), options);
    EXPECT_NEAR(terms.integer.item<double>(), golden.integer, 1e-6) << i;
    EXPECT_EQ(terms.fractional.item<double>(), 0) << i;
    EXPECT_NEAR(terms.consistency.item<double>(), golden.of_depth, 1e-6) << i;
    EXPECT_NEAR(terms.total.item<double>(), golden.total, 1e-6) << i;
    EXPECT_EQ(terms.pixels, 5);
    EXPECT_EQ(terms.out_of_range, 1);
  }
}

// Value from loss_golden.py.
TEST(DepthLossOfOtherHeads, OfAHilbertHeadAgreesWithNumPy) {
  const LossTerms terms = GoldenPixels().loss(model_of(HeadKind::kHilbert), {});
  EXPECT_NEAR(terms.total.item<double>(), 0.524892219, 1e-6);
  EXPECT_EQ(terms.integer.item<double>(), terms.total.item<double>());
  EXPECT_EQ(terms.consistency.item<double>(), 0);
}

// The factors are those of LossParams; a term that they switch off has no influence.
TEST(DepthLossOfOtherHeads, OfACumulativeHeadIsWeighed) {
  const ModelOptions model = model_of(HeadKind::kCumulative);
  const auto total = [&](double integer, double fractional, double consistency) {
    LossOptions options;
    options.params = {.integer_weight = integer,
                      .fractional_weight = fractional,
                      .consistency_weight = consistency};
    return GoldenPixels().loss(model, options).total.item<double>();
  };
  EXPECT_NEAR(total(2, 7, 3), 2 * total(1, 0, 0) + 3 * total(0, 0, 1), 1e-12);
}

TEST(DepthLossOfOtherHeads, GradientsOfOtherHeadsEqualFiniteDifferences) {
  const GoldenPixels pixels;
  for (const HeadKind head : {HeadKind::kCumulative, HeadKind::kSigmoid, HeadKind::kHilbert}) {
    for (const auto& [spacing, name] : EnumNames<Spacing>::values) {
      for (const auto& [consistency, consistency_name] : EnumNames<ConsistencyLossKind>::values) {
        SCOPED_TRACE(testing::Message() << enum_name(head) << ' ' << name << consistency_name);
        LossOptions options;
        options.consistency = consistency;
        const ModelOptions model = model_of(head, spacing);
        const DepthLoss loss(model, options);
        expect_gradient_is_exact([&](const auto& x) { return loss(x, {}, pixels.depth).total; },
                                 pixels.logits_of(model));
      }
    }
  }
}

TEST(DepthLossOfOtherHeads, OfOtherHeadsIsFiniteAndMaskedInFloat32) {
  const GoldenPixels pixels;
  for (const HeadKind head : {HeadKind::kCumulative, HeadKind::kSigmoid, HeadKind::kHilbert}) {
    SCOPED_TRACE(enum_name(head));
    const ModelOptions model = model_of(head);
    const auto logits = (1e4 * pixels.logits_of(model).to(torch::kFloat32)).requires_grad_();
    const LossTerms terms = DepthLoss(model, {})(logits, {}, pixels.depth.to(torch::kFloat32));
    terms.total.backward();
    EXPECT_TRUE(std::isfinite(terms.total.item<double>()));
    EXPECT_TRUE(logits.grad().isfinite().all().item<bool>());
    EXPECT_EQ(logits.grad()[5].abs().max().item<float>(), 0);  // out of range
  }
}

}  // namespace
}  // namespace dualdepth
