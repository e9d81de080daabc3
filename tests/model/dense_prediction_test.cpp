#include "dualdepth/model/dense_prediction.h"

#include <gtest/gtest.h>
#include <torch/utils.h>

#include <cmath>

#include "dualdepth/codec/threshold_codec.h"

namespace dualdepth {
namespace {

ModelOptions with_codec(CodecKind codec) {
  ModelOptions options;
  options.params.codec.codec = codec;
  return options;
}

// Logits that a random start leaves near zero are spread, so that levels differ between pixels.
DepthNet make_net(const ModelOptions& options) {
  torch::manual_seed(5);
  DepthNet net(options);
  net->eval();
  const torch::NoGradGuard no_grad;
  for (auto& parameter : net->named_parameters()) {
    if (parameter.key().find("head_") != std::string::npos) parameter.value().normal_(0, 0.5);
  }
  return net;
}

// 64x192 has 12288 pixels: more than one stripe.
torch::Tensor picture() {
  torch::manual_seed(6);
  return torch::rand({1, 3, 64, 192});
}

TEST(PredictDense, IsTheDenseHeadsWinningLevelAndFractionDecoded) {
  auto net = make_net(with_codec(CodecKind::kReflected));
  const torch::NoGradGuard no_grad;
  const auto prediction = predict_dense(net, picture());
  const auto heads = net->heads(net->features(picture()).at(0), 0);
  // Where two logits all but tie, the two ways of summing may choose either.
  const auto [best, unused] = heads.integer_logits.topk(2, 1);
  const auto clear = (best.select(1, 0) - best.select(1, 1)) > 1e-3;
  EXPECT_GT(clear.to(torch::kFloat32).mean().item<double>(), 0.99);
  const auto level = heads.integer_logits.argmax(1);
  EXPECT_TRUE(prediction.level.masked_select(clear).equal(level.masked_select(clear)));
  EXPECT_GT(level.max().item<int64_t>(), level.min().item<int64_t>());
  const auto fraction = heads.fraction_logits.sigmoid();
  EXPECT_LT((prediction.fraction - fraction).abs().max().item<double>(), 1e-5);
  // reflected over 0.1..80 m by hand: x = level + (odd ? 1 - fraction : fraction).
  const auto within = torch::where(level.remainder(2) == 0, fraction, 1 - fraction);
  const auto depth = 0.1 + (level + within) * (79.9 / 256);
  const auto difference = (prediction.depth - depth).abs().masked_select(clear);
  EXPECT_LT(difference.max().item<double>(), 1e-4);
}

// By LibTorch's softmax: reflected over 0.1..80 m, level k stands for k + f, odd ones for
// k + 1 - f.
TEST(PredictDense, OfTheExpectationIsTheDepthAtTheMeanPlace) {
  auto options = with_codec(CodecKind::kReflected);
  options.params.codec.decoding = LevelDecoding::kExpectation;
  auto net = make_net(options);
  const torch::NoGradGuard no_grad;
  const auto prediction = predict_dense(net, picture());
  const auto heads = net->heads(net->features(picture()).at(0), 0);
  const auto share = heads.integer_logits.softmax(1);
  const auto fraction = heads.fraction_logits.sigmoid().unsqueeze(1);
  const auto level = torch::arange(256).view({1, 256, 1, 1});
  const auto place = level + torch::where(level.remainder(2) == 0, fraction, 1 - fraction);
  const auto depth = 0.1 + (share * place).sum(1) * (79.9 / 256);
  EXPECT_LT((prediction.depth - depth).abs().max().item<double>(), 1e-3);
  EXPECT_GT(depth.std().item<double>(), 1);
  EXPECT_FALSE(prediction.level.defined() || prediction.fraction.defined());
}

TEST(PredictDense, OfTheMedianHasTheLevelThatReachesHalf) {
  auto options = with_codec(CodecKind::kStep);
  options.params.codec.decoding = LevelDecoding::kMedian;
  auto net = make_net(options);
  const torch::NoGradGuard no_grad;
  const auto prediction = predict_dense(net, picture());
  const auto heads = net->heads(net->features(picture()).at(0), 0);
  const auto below = heads.integer_logits.softmax(1).cumsum(1);
  const auto level = below.lt(0.5).sum(1);
  const auto clear = (below - 0.5).abs().amin(1) > 1e-4;
  EXPECT_GT(clear.to(torch::kFloat32).mean().item<double>(), 0.9);
  EXPECT_TRUE(prediction.level.masked_select(clear).equal(level.masked_select(clear)));
  const auto depth = 0.1 + (level + heads.fraction_logits.sigmoid()) * (79.9 / 256);
  const auto difference = (prediction.depth - depth).abs().masked_select(clear);
  EXPECT_LT(difference.max().item<double>(), 1e-3);
}

TEST(PredictDense, UsesTheFinestScaleThatHasHeads) {
  ModelOptions options;
  options.head.scales = {2, 1};
  auto net = make_net(options);
  EXPECT_EQ(predict_dense(net, picture()).depth.sizes(), torch::IntArrayRef({1, 32, 96}));
}

TEST(PredictDense, ContinuousDepthHasAFractionButNoLevel) {
  auto net = make_net(with_codec(CodecKind::kContinuous));
  const torch::NoGradGuard no_grad;
  const auto prediction = predict_dense(net, picture());
  EXPECT_FALSE(prediction.level.defined());
  const auto heads = net->heads(net->features(picture()).at(0), 0);
  const auto depth =
      heads.integer_logits.squeeze(1).sigmoid() * 80 + heads.fraction_logits.sigmoid();
  EXPECT_LT((prediction.depth - depth).abs().max().item<double>(), 1e-3);
}

TEST(PredictDense, OneHeadGivesDepthAlone) {
  ModelOptions options;
  options.params.use_dual_head = false;
  auto net = make_net(options);
  const torch::NoGradGuard no_grad;
  const auto prediction = predict_dense(net, picture());
  EXPECT_FALSE(prediction.level.defined());
  EXPECT_FALSE(prediction.fraction.defined());
  const auto heads = net->heads(net->features(picture()).at(0), 0);
  const auto depth = 0.1 + 79.9 * heads.integer_logits.squeeze(1).sigmoid();
  EXPECT_LT((prediction.depth - depth).abs().max().item<double>(), 1e-3);
}

TEST(PredictDense, OfKindSigmoidIsThatOfTheOriginalsKey) {
  ModelOptions by_key;
  by_key.params.use_dual_head = false;
  ModelOptions by_kind;
  by_kind.head.kind = HeadKind::kSigmoid;
  auto one = make_net(by_key);
  auto other = make_net(by_kind);
  EXPECT_TRUE(predict_dense(one, picture()).depth.equal(predict_dense(other, picture()).depth));
}

// The formula of threshold_codec.h on the dense logits, over 0.1..80 m: b = ln(0.6 / 0.4).
TEST(PredictDense, OfACumulativeHeadIsTheDepthAtTheClippedSum) {
  ModelOptions options;
  options.head.kind = HeadKind::kCumulative;
  options.head.slope = 0.75;
  options.head.quantile = 0.4;
  auto net = make_net(options);
  const torch::NoGradGuard no_grad;
  const auto prediction = predict_dense(net, picture());
  EXPECT_FALSE(prediction.level.defined());
  EXPECT_FALSE(prediction.fraction.defined());
  const auto heads = net->heads(net->features(picture()).at(0), 0);
  EXPECT_FALSE(heads.fraction_logits.defined());
  const auto logits = heads.integer_logits.to(torch::kFloat64);
  const auto position = (0.75 * (logits - std::log(1.5)) + 0.5).clamp(0, 1).sum(1);
  const auto depth = 0.1 + position * (79.9 / 256);
  EXPECT_GT(depth.std().item<double>(), 1);
  EXPECT_LT((prediction.depth - depth).abs().max().item<double>(), 1e-3);
}

// Points of order 1 lie in the corners, so that the curve runs along three sides of the square:
// (0, 0) - (0, 1) - (1, 1) - (1, 0).
TEST(PredictDense, OfAHilbertHeadIsTheDepthOfTheNearestPointOfTheCurve) {
  ModelOptions options;
  options.head.kind = HeadKind::kHilbert;
  options.params.codec.hilbert_order = 1;
  auto net = make_net(options);
  const torch::NoGradGuard no_grad;
  const auto prediction = predict_dense(net, picture());
  const auto heads = net->heads(net->features(picture()).at(0), 0);
  ASSERT_EQ(heads.integer_logits.size(1), 2);
  const auto at = heads.integer_logits.sigmoid().to(torch::kFloat64);
  const auto x = at.select(1, 0);
  const auto y = at.select(1, 1);
  const auto left = x.lt(1 - y).logical_and(x.lt(0.5));
  const auto right = (1 - x).lt(1 - y).logical_and(x.ge(0.5));
  const auto u = torch::where(left, y, torch::where(right, 3 - y, 1 + x)) / 3;
  EXPECT_LT((prediction.depth - (0.1 + 79.9 * u)).abs().max().item<double>(), 1e-3);
}

TEST(CumulativeHead, StartsFromThePriorAndKeepsOtherHeadsAtZero) {
  ModelOptions options;
  options.head.kind = HeadKind::kCumulative;
  DepthNet net(options);
  EXPECT_TRUE(
      net->decoder()->head(0)->filters().integer_bias.equal(prior_logits(options.params.codec)));
  DepthNet categorical{ModelOptions()};
  EXPECT_EQ(categorical->decoder()->head(0)->filters().integer_bias.abs().max().item<float>(), 0);
}

TEST(LevelSmoothing, EqualsSmoothingTheLogitsOfEachPixel) {
  auto net = make_net({});
  const torch::NoGradGuard no_grad;
  const auto feature = torch::rand({1, 16, 4, 8});
  const auto pixels = torch::arange(32, torch::kInt64);
  const auto filters = net->decoder()->head(0)->filters();
  const auto plain = apply_at(filters, feature, pixels).integer_logits;
  const auto smooth = apply_at(smooth_levels(filters, 4), feature, pixels).integer_logits;
  for (const int64_t level : {0, 3, 128, 255}) {
    double sum = 0;
    double weights = 0;
    for (int64_t j = 0; j < 256; ++j) {
      const auto distance = static_cast<double>(level - j);
      const double weight = std::exp(-distance * distance / 32);
      sum += weight * plain[17][j].item<double>();
      weights += weight;
    }
    EXPECT_NEAR(smooth[17][level].item<double>(), sum / weights, 1e-4);
  }
}

TEST(LevelSmoothing, AppliesWhenPredictingAndLeavesTheNetworkAsItWas) {
  ModelOptions options;
  options.head.level_smoothing = 4;
  auto smooth_net = make_net(options);
  auto plain_net = make_net({});
  const auto smooth = predict_dense(smooth_net, picture()).level;
  const auto plain = predict_dense(plain_net, picture()).level;
  EXPECT_FALSE(smooth.equal(plain));
  for (const auto& item : plain_net->named_parameters()) {
    EXPECT_TRUE(smooth_net->named_parameters()[item.key()].equal(item.value())) << item.key();
  }
}

}  // namespace
}  // namespace dualdepth
