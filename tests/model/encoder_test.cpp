#include "dualdepth/model/encoder.h"

#include <gtest/gtest.h>
#include <torch/utils.h>

#include "dualdepth/config/field.h"
#include "testing/print_enum.h"

namespace dualdepth {
namespace {

std::shared_ptr<Encoder> encoder_of(EncoderKind kind, double width = 1) {
  ModelOptions options;
  options.encoder = kind;
  options.encoder_width = width;
  return make_encoder(options);
}

int64_t count_parameters(const Encoder& encoder) {
  int64_t count = 0;
  for (const auto& parameter : encoder.parameters()) count += parameter.numel();
  return count;
}

// max |a - b| / max |b|
double relative_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>() / b.abs().max().item<double>();
}

// Statistics and affine parameters of batch norm as training leaves them: with the initial ones
// (mean 0, variance 1, gamma 1, beta 0) folding it into the filters is nearly the identity.
void give_trained_batch_norm(Encoder& encoder) {
  const torch::NoGradGuard no_grad;
  for (auto& buffer : encoder.named_buffers()) {
    if (buffer.key().ends_with("running_mean")) buffer.value().normal_(0, 0.3);
    if (buffer.key().ends_with("running_var")) buffer.value().uniform_(0.4, 2.5);
  }
  for (auto& parameter : encoder.named_parameters()) {
    if (parameter.value().dim() != 1) continue;
    if (parameter.key().ends_with("weight")) parameter.value().uniform_(0.5, 1.5);
    if (parameter.key().ends_with("bias")) parameter.value().normal_(0, 0.3);
  }
}

// Documented totals of torchvision (timm for EfficientNet-lite0) less what is left out.
TEST(Encoders, HaveThePublishedParametersWithoutTheClassifier) {
  using enum EncoderKind;
  // The 1000-way layer.
  EXPECT_EQ(count_parameters(*encoder_of(kResNet18)), 11689512 - 513000);
  EXPECT_EQ(count_parameters(*encoder_of(kResNet34)), 21797672 - 513000);
  EXPECT_EQ(count_parameters(*encoder_of(kResNet50)), 25557032 - 2049000);
  EXPECT_EQ(count_parameters(*encoder_of(kResNet101)), 44549160 - 2049000);
  // Also the last 1x1 convolution with its batch norm: 320 * 1280 + 2560, 160 * 960 + 1920.
  EXPECT_EQ(count_parameters(*encoder_of(kMobileNetV2)), 3504872 - 1281000 - 412160);
  EXPECT_EQ(count_parameters(*encoder_of(kMobileNetV3Large)), 5483032 - 2511080 - 155520);
  EXPECT_EQ(count_parameters(*encoder_of(kEfficientNetLite0)), 4652008 - 1281000 - 412160);
}

// By hand, with c channels of the stem: 149 c + (36 c^2 + 8 c), then for o = 2i in i = c, 2c, 4c:
// 9 i o + 27 o^2 + i o + 10 o; c = 64 gives torchvision's total.
TEST(Encoders, AWidthScalesTheChannelsOfAllConvolutions) {
  using enum EncoderKind;
  using Channels = std::array<int64_t, 5>;
  EXPECT_EQ(count_parameters(*encoder_of(kResNet18, 0.5)), 2798880);
  EXPECT_EQ(encoder_of(kResNet18, 0.5)->channels(), (Channels{32, 32, 64, 128, 256}));
  EXPECT_EQ(encoder_of(kResNet50, 0.125)->channels(), (Channels{8, 32, 64, 128, 256}));
  EXPECT_EQ(encoder_of(kMobileNetV2, 0.5)->channels(), (Channels{8, 16, 16, 48, 160}));
  EXPECT_EQ(encoder_of(kMobileNetV3Large, 0.5)->channels(), (Channels{8, 16, 24, 56, 80}));
  EXPECT_EQ(encoder_of(kEfficientNetLite0, 2)->channels(), (Channels{32, 48, 80, 224, 640}));
  // torchvision 0.29: mobilenet_v2(width_mult=0.5).features[:-1].
  EXPECT_EQ(count_parameters(*encoder_of(kMobileNetV2, 0.5)), 480320);
}

class EveryEncoder : public ::testing::TestWithParam<EncoderKind> {};

TEST_P(EveryEncoder, GivesFiveMapsFromHalfToOneThirtySecondOfTheSize) {
  const auto encoder = encoder_of(GetParam(), 0.5);
  encoder->eval();
  const auto features = encoder->forward(torch::zeros({1, 3, 64, 96}));
  for (size_t i = 0; i < features.size(); ++i) {
    const int64_t stride = int64_t{2} << i;
    EXPECT_EQ(features.at(i).sizes(),
              torch::IntArrayRef({1, encoder->channels().at(i), 64 / stride, 96 / stride}));
  }
}

TEST_P(EveryEncoder, FrozenBatchNormKeepsItsStatisticsWhileTraining) {
  torch::manual_seed(0);
  const auto image = torch::rand({2, 3, 64, 64});
  const auto statistics = [](const Encoder& encoder) {
    std::vector<torch::Tensor> all;
    for (const auto& buffer : encoder.named_buffers()) {
      if (buffer.key().ends_with("running_mean")) all.push_back(buffer.value().clone());
    }
    return torch::cat(all);
  };
  const auto encoder = encoder_of(GetParam(), 0.25);
  const auto fresh = statistics(*encoder);
  encoder->freeze_batch_norm();
  encoder->train();
  encoder->forward(image);
  EXPECT_TRUE(statistics(*encoder).equal(fresh));

  const auto learning = encoder_of(GetParam(), 0.25);
  learning->forward(image);
  EXPECT_FALSE(statistics(*learning).equal(fresh));
}

// The network as LibTorch's batch_norm computes it says what folding has to give; filters that were
// folded must not outlive a training step.
TEST_P(EveryEncoder, FoldedBatchNormGivesTheSameMapsUntilItIsTrainedAgain) {
  torch::manual_seed(9);
  const torch::NoGradGuard no_grad;
  const auto encoder = encoder_of(GetParam(), 0.5);
  give_trained_batch_norm(*encoder);
  encoder->eval();
  const auto image = torch::rand({1, 3, 64, 64});
  const auto plain = encoder->forward(image);
  encoder->fold_batch_norm();
  const auto folded = encoder->forward(image);
  for (size_t i = 0; i < plain.size(); ++i) {
    EXPECT_LT(relative_difference(folded.at(i), plain.at(i)), 2e-5) << i;
  }
  for (auto& parameter : encoder->parameters()) parameter.mul_(1.2);
  encoder->train();
  encoder->eval();
  EXPECT_GT(relative_difference(encoder->forward(image)[0], plain[0]), 0.1);
}

// A convolution of each kind: without a gradient, in-place activations would have lost it.
TEST_P(EveryEncoder, EveryParameterGetsAGradient) {
  torch::manual_seed(7);
  const auto encoder = encoder_of(GetParam(), 0.25);
  auto sum = torch::zeros({});
  for (const auto& map : encoder->forward(torch::randn({2, 3, 64, 64}))) {
    sum = sum + (map * torch::randn_like(map)).sum();
  }
  sum.backward();
  for (const auto& parameter : encoder->named_parameters()) {
    ASSERT_TRUE(parameter.value().grad().defined()) << parameter.key();
    EXPECT_GT(parameter.value().grad().abs().max().item<double>(), 0) << parameter.key();
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryEncoder,
                         ::testing::Values(EncoderKind::kResNet18, EncoderKind::kResNet50,
                                           EncoderKind::kMobileNetV2,
                                           EncoderKind::kMobileNetV3Large,
                                           EncoderKind::kEfficientNetLite0),
                         [](const auto& info) { return std::string(enum_name(info.param)); });

}  // namespace
}  // namespace dualdepth
