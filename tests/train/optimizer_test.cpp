#include "dualdepth/train/optimizer.h"

#include <gtest/gtest.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <limits>
#include <memory>

namespace dualdepth {
namespace {

torch::Tensor parameter(std::vector<float> values, std::vector<int64_t> shape) {
  return torch::tensor(values).reshape(shape).requires_grad_();
}

void set_gradient(torch::Tensor& parameter, std::vector<float> values) {
  parameter.mutable_grad() = torch::tensor(values).reshape(parameter.sizes());
}

OptimizerOptions options_of(OptimizerKind type) {
  OptimizerOptions options;
  options.type = type;
  options.lr = 0.1;
  return options;
}

void expect_values(const torch::Tensor& tensor, std::vector<float> expected) {
  EXPECT_TRUE(torch::allclose(tensor.detach().flatten(), torch::tensor(expected), 1e-6, 1e-7))
      << tensor;
}

struct UpdateRule {
  OptimizerKind type;
  std::vector<float> after_two_steps;
};

void PrintTo(const UpdateRule& value, std::ostream* out) { *out << enum_name(value.type); }

class TwoSteps : public ::testing::TestWithParam<UpdateRule> {};

// Two updates of the weights (1, -2) with gradients (0.5, -1) and (-0.25, 3), lr 0.1, decay 0.01,
// computed with NumPy in double from the papers' formulas.
TEST_P(TwoSteps, GiveTheNumbersOfThePaper) {
  torch::Tensor weight = parameter({1, -2}, {2, 1});
  Optimizer optimizer(options_of(GetParam().type), {{"decoder.weight", weight}});
  set_gradient(weight, {0.5, -1});
  optimizer.step(1);
  set_gradient(weight, {-0.25, 3});
  optimizer.step(1);
  expect_values(weight, GetParam().after_two_steps);
}

INSTANTIATE_TEST_SUITE_P(
    Optimizer, TwoSteps,
    ::testing::Values(UpdateRule{OptimizerKind::kAdam, {0.87122935F, -1.94872715F}},
                      UpdateRule{OptimizerKind::kAdamW, {0.8714673F, -1.94552098F}},
                      UpdateRule{OptimizerKind::kSgd, {0.927151F, -2.104302F}}),
    [](const auto& test) { return std::string(enum_name(test.param.type)); });

TEST(Optimizer, DecaysNeitherBiasNorNorm) {
  torch::Tensor bias = parameter({1, -2}, {2});
  Optimizer optimizer(options_of(OptimizerKind::kAdam), {{"decoder.bias", bias}});
  set_gradient(bias, {0.5, -1});
  optimizer.step(1);
  set_gradient(bias, {-0.25, 3});
  optimizer.step(1);
  expect_values(bias, {0.8733663F, -1.94941898F});  // NumPy, decay 0
}

TEST(Optimizer, TheEncoderLearnsAtItsOwnRate) {
  OptimizerOptions options = options_of(OptimizerKind::kAdam);
  options.encoder_lr_scale = 0.5;
  torch::Tensor weight = parameter({1, -2}, {2, 1});
  Optimizer optimizer(options, {{"encoder.weight", weight}});
  set_gradient(weight, {0.5, -1});
  optimizer.step(1);
  set_gradient(weight, {-0.25, 3});
  optimizer.step(1);
  expect_values(weight, {0.93557622F, -1.97436133F});  // NumPy, lr 0.05
}

TEST(Optimizer, DividesGradientsWhenTheyAreClipped) {
  torch::Tensor weight = parameter({1, -2}, {2, 1});
  OptimizerOptions options = options_of(OptimizerKind::kSgd);
  options.weight_decay = 0;
  Optimizer optimizer(options, {{"weight", weight}});
  set_gradient(weight, {3, 4});
  EXPECT_DOUBLE_EQ(optimizer.gradient_norm(), 5);
  optimizer.step(1, 5);
  expect_values(weight, {1 - 0.06F, -2 - 0.08F});
}

TEST(Optimizer, TheNormIsNotFiniteWhenOneGradientIsNot) {
  torch::Tensor first = parameter({1, 2}, {2});
  torch::Tensor second = parameter({1, 2}, {2});
  const Optimizer optimizer(options_of(OptimizerKind::kAdam), {{"a", first}, {"b", second}});
  set_gradient(first, {1, 2});
  set_gradient(second, {1, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_FALSE(std::isfinite(optimizer.gradient_norm()));
  set_gradient(second, {1, std::numeric_limits<float>::infinity()});
  EXPECT_FALSE(std::isfinite(optimizer.gradient_norm()));
}

TEST(Optimizer, SgdWithoutMomentumFollowsTheGradient) {
  torch::Tensor weight = parameter({1, -2}, {2, 1});
  OptimizerOptions options = options_of(OptimizerKind::kSgd);
  options.weight_decay = 0;
  options.momentum = 0;
  Optimizer optimizer(options, {{"weight", weight}});
  set_gradient(weight, {0.5, -1});
  optimizer.step(1);
  optimizer.step(1);
  expect_values(weight, {0.9F, -1.8F});  // 1 - 2 * 0.1 * 0.5, -2 + 2 * 0.1 * 1
}

TEST(Optimizer, LeavesParametersWithoutGradientAlone) {
  torch::Tensor used = parameter({1}, {1, 1});
  torch::Tensor unused = parameter({7}, {1, 1});
  Optimizer optimizer(options_of(OptimizerKind::kAdamW), {{"unused", unused}, {"used", used}});
  set_gradient(used, {1});
  optimizer.step(1);
  expect_values(unused, {7});
  EXPECT_LT(used.item<float>(), 1);
}

// LibTorch's own optimisers are the reference; weights are channels-last as in training, gradients
// are not.
template <class TorchOptimizer, class TorchOptions>
void expect_same_as_torch(OptimizerKind type, TorchOptions torch_options) {
  torch::manual_seed(3);
  torch::Tensor ours =
      torch::randn({8, 4, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
  torch::Tensor reference = ours.detach().clone().requires_grad_();
  Optimizer optimizer(options_of(type), {{"decoder.weight", ours}});
  TorchOptimizer torch_optimizer({reference}, torch_options);
  for (int step = 0; step < 5; ++step) {
    const torch::Tensor gradient = torch::randn({8, 4, 3, 3});
    ours.mutable_grad() = gradient.clone();
    reference.mutable_grad() = gradient.clone();
    optimizer.step(1);
    torch_optimizer.step();
  }
  EXPECT_TRUE(torch::allclose(ours, reference, 1e-6, 1e-7));
}

TEST(Optimizer, AgreesWithTorchAdam) {
  expect_same_as_torch<torch::optim::Adam>(OptimizerKind::kAdam,
                                           torch::optim::AdamOptions(0.1).weight_decay(0.01));
}

TEST(Optimizer, AgreesWithTorchAdamW) {
  expect_same_as_torch<torch::optim::AdamW>(OptimizerKind::kAdamW,
                                            torch::optim::AdamWOptions(0.1).weight_decay(0.01));
}

TEST(Optimizer, AgreesWithTorchSgd) {
  expect_same_as_torch<torch::optim::SGD>(
      OptimizerKind::kSgd, torch::optim::SGDOptions(0.1).weight_decay(0.01).momentum(0.9));
}

TEST(Optimizer, ContinuesFromItsState) {
  torch::Tensor straight = parameter({1, -2}, {2, 1});
  torch::Tensor resumed = parameter({1, -2}, {2, 1});
  Optimizer first(options_of(OptimizerKind::kAdamW), {{"w", straight}});
  Optimizer second(options_of(OptimizerKind::kAdamW), {{"w", resumed}});
  set_gradient(straight, {0.5, -1});
  first.step(1);
  {
    const torch::NoGradGuard no_grad;
    resumed.copy_(straight);
    for (auto& [name, tensor] : second.state()) tensor.copy_(first.state().at(name));
  }
  set_gradient(straight, {-0.25, 3});
  set_gradient(resumed, {-0.25, 3});
  first.step(1);
  second.step(1);
  EXPECT_TRUE(torch::equal(straight, resumed));
  EXPECT_EQ(second.state().at("step").item<float>(), 2);
}

}  // namespace
}  // namespace dualdepth
