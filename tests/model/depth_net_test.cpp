#include "dualdepth/model/depth_net.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

ModelOptions with_scales(std::vector<int64_t> scales) {
  ModelOptions options;
  options.head.scales = std::move(scales);
  return options;
}

int64_t count_parameters(torch::nn::Module& module, std::string_view name_part = "") {
  int64_t count = 0;
  for (const auto& parameter : module.named_parameters()) {
    if (parameter.key().find(name_part) != std::string::npos) count += parameter.value().numel();
  }
  return count;
}

// max |a - b| / max |b|
double relative_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>() / b.abs().max().item<double>();
}

TEST(DepthNet, HasTheParameterCountsOfItsDesign) {
  DepthNet net(with_scales({0, 1, 2, 3}));
  // Decoder by hand: sum over its ten 3x3 convolutions of 9 * in * out + out.
  EXPECT_EQ(count_parameters(*net, "upconv"), 3150560);
  // Heads by hand: (9 * (16 + 32 + 64 + 128) + 4) * (256 + 1).
  EXPECT_EQ(count_parameters(*net, "head_"), (9 * 240 + 4) * 257);
  EXPECT_EQ(count_parameters(*net), 11176512 + 3150560 + 556148);
}

TEST(DepthNet, AWidthScalesTheChannelsOfItsDecoder) {
  ModelOptions options;
  options.decoder_width = 0.5;
  // By hand: 9 * in * out + out of ten convolutions between 512, 128, 64, 32, 16 and 8 channels.
  EXPECT_EQ(count_parameters(*DepthNet(options), "upconv"), 1280944);
}

TEST(DepthNet, ASeparableDecoderHasDepthwiseAndPointwiseConvolutions) {
  ModelOptions options;
  options.decoder_block = DecoderBlock::kSeparable;
  // By hand: 9 * in, in * out and out of the ten convolutions.
  EXPECT_EQ(count_parameters(*DepthNet(options), "upconv"), 18000 + 349952 + 992);
}

TEST(DepthNet, StartsItsDecoderFromXavierAndZeroBias) {
  torch::manual_seed(1);
  DepthNet net(with_scales({0}));
  const auto parameters = net->named_parameters();
  // Xavier-uniform of a 3x3 filter from 256 to 128 channels: |w| <= sqrt(6 / (9 * 256 + 9 * 128)).
  const double bound = std::sqrt(6.0 / (9 * 256 + 9 * 128));
  const auto filters = parameters["decoder.upconv_3_0.weight"].abs();
  EXPECT_LE(filters.max().item<double>(), bound);
  EXPECT_NEAR(filters.mean().item<double>(), bound / 2, 1e-3 * bound);
  EXPECT_EQ(parameters["decoder.head_0.integer.bias"].abs().max().item<double>(), 0.0);
}

TEST(DepthNet, ScaleSHasOneOverTwoToTheSOfTheInputsSize) {
  DepthNet net(with_scales({0, 1, 2, 3}));
  const auto features = net->features(torch::rand({2, 3, 64, 96}));
  ASSERT_EQ(features.size(), 4u);
  for (const auto& [scale, feature] : features) {
    const auto heads = net->heads(feature, scale);
    EXPECT_EQ(heads.integer_logits.sizes(), torch::IntArrayRef({2, 256, 64 >> scale, 96 >> scale}));
    EXPECT_EQ(heads.fraction_logits.sizes(), torch::IntArrayRef({2, 64 >> scale, 96 >> scale}));
  }
}

TEST(DepthNet, BuildsNoStageThatNoHeadNeeds) {
  DepthNet net(with_scales({2}));
  EXPECT_FALSE(net->named_parameters().contains("decoder.upconv_1_0.weight"));
  EXPECT_EQ(net->features(torch::rand({1, 3, 32, 64})).at(2).sizes(),
            torch::IntArrayRef({1, 64, 8, 16}));
}

TEST(DepthNet, BaselinesHaveOneIntegerChannel) {
  ModelOptions continuous;
  continuous.params.codec.codec = CodecKind::kContinuous;
  ModelOptions single;
  single.params.use_dual_head = false;
  const auto image = torch::rand({1, 3, 32, 64});
  DepthNet continuous_net(continuous);
  const auto two_heads = continuous_net->heads(continuous_net->features(image).at(0), 0);
  EXPECT_EQ(two_heads.integer_logits.size(1), 1);
  EXPECT_TRUE(two_heads.fraction_logits.defined());
  DepthNet single_net(single);
  const auto one_head = single_net->heads(single_net->features(image).at(0), 0);
  EXPECT_EQ(one_head.integer_logits.size(1), 1);
  EXPECT_FALSE(one_head.fraction_logits.defined());
}

TEST(DepthNet, BFloat16TrunkStaysNearFloat32AndItsHeadsAreFloat32) {
  torch::manual_seed(2);
  DepthNet net(with_scales({0}));
  net->eval();
  const torch::NoGradGuard no_grad;
  const auto image = torch::rand({1, 3, 64, 96});
  const auto exact = net->features(image).at(0);
  const auto fast = net->features(image, Precision::kBFloat16).at(0);
  EXPECT_EQ(fast.scalar_type(), torch::kBFloat16);
  // bfloat16 has 8 significant bits; 30 layers of rounding stay within a few of its steps.
  EXPECT_LT(relative_difference(fast.to(torch::kFloat32), exact), 0.05);
  EXPECT_EQ(net->heads(fast, 0).integer_logits.scalar_type(), torch::kFloat32);
}

// Statistics and affine parameters of batch norm as training leaves them: with the initial ones
// (mean 0, variance 1, gamma 1, beta 0) folding it into the filters is nearly the identity.
void give_trained_batch_norm(DepthNet& net) {
  const torch::NoGradGuard no_grad;
  for (auto& buffer : net->named_buffers()) {
    if (buffer.key().ends_with("running_mean")) buffer.value().normal_(0, 0.3);
    if (buffer.key().ends_with("running_var")) buffer.value().uniform_(0.4, 2.5);
  }
  for (auto& parameter : net->named_parameters()) {
    const bool affine = parameter.key().starts_with("encoder") && parameter.value().dim() == 1;
    if (affine && parameter.key().ends_with("weight")) parameter.value().uniform_(0.5, 1.5);
    if (affine && parameter.key().ends_with("bias")) parameter.value().normal_(0, 0.3);
  }
}

// The network as LibTorch's batch_norm computes it says what folding has to give.
TEST(DepthNet, FoldedBatchNormGivesTheSameFeatures) {
  torch::manual_seed(9);
  const torch::NoGradGuard no_grad;
  for (const auto kind : {EncoderKind::kResNet18, EncoderKind::kResNet50}) {
    ModelOptions options;
    options.encoder = kind;
    options.decoder_width = 0.5;
    DepthNet net(options);
    give_trained_batch_norm(net);
    net->eval();
    const auto image = torch::rand({1, 3, 64, 64});
    const auto plain = net->features(image).at(0);
    net->prepare_for_prediction();
    EXPECT_LT(relative_difference(net->features(image).at(0), plain), 2e-5) << enum_name(kind);
  }
}

// Filters that were folded and split must not outlive a training step.
TEST(DepthNet, TakesNewParametersAfterPredictionWasPrepared) {
  torch::manual_seed(3);
  const torch::NoGradGuard no_grad;
  const auto image = torch::rand({1, 3, 64, 64});
  for (const char* name : {"encoder.conv1.weight", "encoder.layer2.0.downsample.0.weight",
                           "encoder.layer3.1.conv2.weight", "decoder.upconv_3_1.weight"}) {
    DepthNet net(ModelOptions{});
    net->prepare_for_prediction();
    const auto before = net->features(image).at(0);
    net->train();
    net->named_parameters()[name].mul_(1.5);
    net->eval();
    const auto plain = net->features(image).at(0);
    EXPECT_GT(relative_difference(before, plain), 1e-2) << name;
    net->prepare_for_prediction();
    EXPECT_LT(relative_difference(net->features(image).at(0), plain), 1e-5) << name;
  }
}

TEST(DepthNet, RefusesToTakeBatchStatisticsOfASingleValue) {
  DepthNet net(with_scales({0}));
  const auto image = torch::zeros({1, 3, 32, 32});
  EXPECT_THAT([&] { net->features(image); }, ThrowsMessage<Error>(HasSubstr("batch")));
  net->encoder().freeze_batch_norm();
  EXPECT_NO_THROW(net->features(image));
}

TEST(DepthNet, RefusesPicturesThatAreNotMultiplesOf32) {
  DepthNet net(with_scales({0}));
  EXPECT_THAT(
      [&] {
        net->features(torch::zeros({1, 3, 375, 1242}));
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("multiples of 32"), HasSubstr("375, 1242"))));
}

class SparseHeads : public ::testing::TestWithParam<int64_t> {};

// At every scale: values, and the gradients of a loss that weighs each logit differently, equal
// those of the dense heads indexed at the same pixels.
TEST_P(SparseHeads, EqualTheDenseHeadsAndTheirGradients) {
  torch::manual_seed(3);
  const int64_t scale = GetParam();
  DepthNet net(with_scales({scale}));
  constexpr int64_t kHeight = 32;
  constexpr int64_t kWidth = 64;
  const int64_t channels = int64_t{16} << scale;
  // All four corners of both pictures are among the pixels: their patches reach outside.
  const auto everywhere = torch::rand({2, kHeight, kWidth});
  everywhere.select(1, 0).select(1, 0).zero_();
  everywhere.select(1, 0).select(1, kWidth - 1).zero_();
  everywhere.select(1, kHeight - 1).select(1, 0).zero_();
  everywhere.select(1, kHeight - 1).select(1, kWidth - 1).zero_();
  const auto pixels = (everywhere.view({-1}) < 0.1).nonzero().view({-1});
  const auto n = pixels.floor_divide(kHeight * kWidth);
  const auto y = pixels.floor_divide(kWidth).remainder(kHeight).floor_divide(1 << scale);
  const auto x = pixels.remainder(kWidth).floor_divide(1 << scale);

  const auto base = torch::randn({2, channels, kHeight >> scale, kWidth >> scale})
                        .contiguous(torch::MemoryFormat::ChannelsLast);
  const auto integer_factors = torch::randn({pixels.numel(), 256});
  const auto fraction_factors = torch::randn({pixels.numel()});
  const auto run = [&](bool sparse) {
    net->zero_grad();
    auto feature = base.clone().requires_grad_();
    HeadOutput output;
    if (sparse) {
      output = net->heads_at(feature, scale, pixels);
    } else {
      const auto dense = net->heads(feature, scale);
      using torch::indexing::Slice;
      output = {dense.integer_logits.index({n, Slice(), y, x}),
                dense.fraction_logits.index({n, y, x})};
    }
    ((output.integer_logits * integer_factors).sum() +
     (output.fraction_logits * fraction_factors).sum())
        .backward();
    const auto filters = net->decoder()->head(scale)->filters();
    return std::vector<torch::Tensor>{output.integer_logits.detach(),
                                      output.fraction_logits.detach(),
                                      feature.grad().clone(),
                                      filters.integer_weight.grad().clone(),
                                      filters.integer_bias.grad().clone(),
                                      filters.fraction_weight.grad().clone(),
                                      filters.fraction_bias.grad().clone()};
  };
  const auto sparse = run(true);
  const auto dense = run(false);
  for (size_t i = 0; i < sparse.size(); ++i) {
    EXPECT_LT(relative_difference(sparse[i], dense[i]), 1e-5) << "tensor " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(AllScales, SparseHeads, ::testing::Values(0, 1, 2, 3));

TEST(SparseHeads, NoPixelGivesNoLogitsAndNoGradient) {
  DepthNet net(with_scales({0}));
  auto feature = torch::rand({1, 16, 32, 32}).requires_grad_();
  const auto output = net->heads_at(feature, 0, torch::empty({0}, torch::kInt64));
  EXPECT_EQ(output.integer_logits.sizes(), torch::IntArrayRef({0, 256}));
  output.integer_logits.sum().backward();
  EXPECT_EQ(feature.grad().abs().max().item<double>(), 0.0);
}

}  // namespace
}  // namespace dualdepth
