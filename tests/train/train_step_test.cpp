#include "dualdepth/train/train_step.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "dualdepth/model/weights.h"
#include "dualdepth/train/checkpoint.h"
#include "tiny_run.h"

namespace dualdepth {
namespace {

using testing::tiny_batch;
using testing::tiny_config;

class TrainStepTest : public testing::TinyRun {};

NamedTensors copy_of(const NamedTensors& tensors) {
  NamedTensors copies;
  for (const auto& [name, tensor] : tensors) copies.emplace(name, tensor.detach().clone());
  return copies;
}

void expect_same_bytes(const NamedTensors& a, const NamedTensors& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) EXPECT_TRUE(torch::equal(tensor, b.at(name))) << name;
}

TEST_F(TrainStepTest, LearnsOneBatchByHeart) {
  RunConfig config = tiny_config();
  config.optimizer.lr = 3e-3;
  TrainState state = start_state(config, torch::kCPU);
  TrainStep step(state.net, state.optimizer, config);
  const std::vector<Batch> batches{tiny_batch(1)};
  const double first = step(batches, 1).loss;
  double last = first;
  for (int i = 0; i < 40; ++i) last = step(batches, 1).loss;
  EXPECT_LT(last, 0.9 * first);
}

TEST_F(TrainStepTest, TheTotalIsTheWeightedSumOfItsParts) {
  RunConfig config = tiny_config();
  config.loss.params = {.integer_weight = 2, .fractional_weight = 3, .consistency_weight = 0.5};
  TrainState state = start_state(config, torch::kCPU);
  TrainStep step(state.net, state.optimizer, config);
  const StepResult result = step(std::vector<Batch>{tiny_batch(1)}, 1);
  EXPECT_NEAR(result.loss, 2 * result.integer + 3 * result.fractional + 0.5 * result.consistency,
              1e-4);
  EXPECT_EQ(result.pixels, 2 * 64 * 64 / 16);
  EXPECT_EQ(result.out_of_range, 0);
}

TEST_F(TrainStepTest, TheDecoderMapsMeanSquareCountsWhereItIsAsked) {
  RunConfig config = tiny_config();
  const std::vector<Batch> batches{tiny_batch(1)};
  TrainState plain = start_state(config, torch::kCPU);
  std::vector<torch::Tensor> maps;
  plain.net->features(batches[0].image, Precision::kFloat32, &maps);
  ASSERT_EQ(maps.size(), 10U);  // two for each of five stages
  double sum = 0;
  for (const auto& map : maps) sum += map.square().mean().item<double>();
  const double without = TrainStep(plain.net, plain.optimizer, config)(batches, 1).loss;
  config.loss.activation_weight = 0.5;
  TrainState state = start_state(config, torch::kCPU);
  const double with = TrainStep(state.net, state.optimizer, config)(batches, 1).loss;
  EXPECT_NEAR(with - without, 0.5 * sum / 10, 1e-4 * sum);
}

TEST_F(TrainStepTest, CountsDepthOutOfRange) {
  const RunConfig config = tiny_config();  // 0.1 to 80 m
  TrainState state = start_state(config, torch::kCPU);
  TrainStep step(state.net, state.optimizer, config);
  Batch batch = tiny_batch(1);
  batch.depths.slice(0, 0, 3).fill_(100);
  batch.depths.slice(0, 3, 5).fill_(0.05);
  EXPECT_EQ(step(std::vector<Batch>{batch}, 1).out_of_range, 5);
}

TEST_F(TrainStepTest, ABatchWithoutDepthChangesNothing) {
  const RunConfig config = tiny_config();
  TrainState state = start_state(config, torch::kCPU);
  TrainStep step(state.net, state.optimizer, config);
  const NamedTensors before = copy_of(state.tensors());
  Batch batch = tiny_batch(1);
  batch.pixels = batch.pixels.slice(0, 0, 0);
  batch.depths = batch.depths.slice(0, 0, 0);
  EXPECT_EQ(step(std::vector<Batch>{batch}, 1).outcome, StepOutcome::kEmpty);
  expect_same_bytes(before, state.tensors());
}

TEST_F(TrainStepTest, ALossThatIsNotFiniteChangesNothingBatchStatisticsIncluded) {
  const RunConfig config = tiny_config();
  TrainState state = start_state(config, torch::kCPU);
  TrainStep step(state.net, state.optimizer, config);
  const NamedTensors before = copy_of(state.tensors());
  Batch poisoned = tiny_batch(2);
  poisoned.image[0][0][5][5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(step(std::vector<Batch>{tiny_batch(1), poisoned}, 1).outcome, StepOutcome::kNotFinite);
  expect_same_bytes(before, state.tensors());
  EXPECT_EQ(step(std::vector<Batch>{tiny_batch(1)}, 1).outcome, StepOutcome::kUpdated);
}

// With frozen statistics and losses that are plain means over pixels, two batches of equal size
// make the step that their union makes.
TEST_F(TrainStepTest, AccumulatesTheMeanGradient) {
  RunConfig config = tiny_config();
  config.trainer.freeze_batch_norm = true;
  config.loss.params.consistency_weight = 0;
  config.optimizer.type = OptimizerKind::kSgd;
  config.optimizer.lr = 0.01;
  TrainState split = start_state(config, torch::kCPU);
  TrainState joined = start_state(config, torch::kCPU);
  const Batch first = tiny_batch(1);
  const Batch second = tiny_batch(2);
  Batch both;
  both.image = torch::cat({first.image, second.image});
  both.pixels = torch::cat({first.pixels, second.pixels + 2 * 64 * 64});
  both.depths = torch::cat({first.depths, second.depths});
  const StepResult a =
      TrainStep(split.net, split.optimizer, config)(std::vector<Batch>{first, second}, 1);
  const StepResult b = TrainStep(joined.net, joined.optimizer, config)(std::vector<Batch>{both}, 1);
  EXPECT_NEAR(a.loss, b.loss, 1e-4);
  EXPECT_NEAR(a.gradient_norm, b.gradient_norm, 1e-3 * b.gradient_norm);
  for (const auto& [name, tensor] : split.tensors()) {
    EXPECT_TRUE(torch::allclose(tensor, joined.tensors().at(name), 1e-4, 1e-5)) << name;
  }
}

// SGD without momentum and decay moves the weights by lr * gradient: by lr * clip_norm in all.
TEST_F(TrainStepTest, ClipsTheGradientByItsNorm) {
  RunConfig config = tiny_config();
  config.optimizer.type = OptimizerKind::kSgd;
  config.optimizer.momentum = 0;
  config.optimizer.weight_decay = 0;
  config.optimizer.lr = 1;
  config.trainer.clip_norm = 0.25;
  TrainState state = start_state(config, torch::kCPU);
  std::vector<torch::Tensor> before;
  for (const auto& parameter : state.net->parameters()) {
    before.push_back(parameter.detach().clone());
  }
  TrainStep step(state.net, state.optimizer, config);
  EXPECT_GT(step(std::vector<Batch>{tiny_batch(1)}, 1).gradient_norm, 0.25);
  double squares = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    squares += (state.net->parameters()[i].detach() - before[i]).square().sum().item<double>();
  }
  EXPECT_NEAR(std::sqrt(squares), 0.25, 1e-3);
}

TEST_F(TrainStepTest, BFloat16LosesLittle) {
  RunConfig config = tiny_config();
  TrainState full = start_state(config, torch::kCPU);
  TrainState half = start_state(config, torch::kCPU);
  const StepResult a =
      TrainStep(full.net, full.optimizer, config)(std::vector<Batch>{tiny_batch(1)}, 1);
  config.trainer.precision = Precision::kBFloat16;
  const StepResult b =
      TrainStep(half.net, half.optimizer, config)(std::vector<Batch>{tiny_batch(1)}, 1);
  EXPECT_NE(a.loss, b.loss);
  EXPECT_NEAR(a.loss, b.loss, 0.02 * a.loss);
}

TEST_F(TrainStepTest, FrozenBatchNormKeepsItsStatistics) {
  RunConfig config = tiny_config();
  config.trainer.freeze_batch_norm = true;
  TrainState state = start_state(config, torch::kCPU);
  const auto before = state.net->encoder().named_buffers()["bn1.running_mean"].clone();
  TrainStep(state.net, state.optimizer, config)(std::vector<Batch>{tiny_batch(1)}, 1);
  EXPECT_TRUE(torch::equal(before, state.net->encoder().named_buffers()["bn1.running_mean"]));
}

TEST_F(TrainStepTest, ScalesThatWeighNothingAreNotComputed) {
  RunConfig config = tiny_config();
  config.model.head.scales = {0, 1};
  config.loss.scale_weights = {1, 0, 0, 0};
  TrainState state = start_state(config, torch::kCPU);
  const auto before = state.net->named_parameters()["decoder.head_1.integer.weight"].clone();
  TrainStep(state.net, state.optimizer, config)(std::vector<Batch>{tiny_batch(1)}, 1);
  EXPECT_TRUE(torch::equal(before, state.net->named_parameters()["decoder.head_1.integer.weight"]));
}

}  // namespace
}  // namespace dualdepth
