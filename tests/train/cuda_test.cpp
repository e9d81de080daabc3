#include <gtest/gtest.h>

#include "dualdepth/runtime/device.h"
#include "dualdepth/runtime/network_predictor.h"
#include "dualdepth/train/checkpoint.h"
#include "dualdepth/train/train_step.h"
#include "tiny_run.h"

// The same code on a GPU. Training rounds to TF32 there, LibTorch's default; prediction does not.
namespace dualdepth {
namespace {

using testing::tiny_batch;
using testing::tiny_config;

class Cuda : public testing::TinyRun {
 protected:
  void SetUp() override {
    if (choose_device(DeviceKind::kAuto).is_cpu()) GTEST_SKIP() << "needs an NVIDIA GPU";
  }

  static StepResult first_step(const RunConfig& config, torch::Device device) {
    torch::manual_seed(1);
    TrainState state = start_state(config, device);
    return TrainStep(state.net, state.optimizer, config)(std::vector<Batch>{tiny_batch(1)}, 1);
  }
};

TEST_F(Cuda, AStepHasTheCpusLossesAndGradient) {
  for (const auto precision : {Precision::kFloat32, Precision::kBFloat16}) {
    RunConfig config = tiny_config();
    config.trainer.precision = precision;
    const auto cpu = first_step(config, torch::kCPU);
    const auto cuda = first_step(config, torch::kCUDA);
    EXPECT_EQ(cuda.outcome, StepOutcome::kUpdated);
    EXPECT_EQ(cuda.pixels, cpu.pixels);
    const double share = precision == Precision::kFloat32 ? 1e-3 : 2e-2;
    EXPECT_NEAR(cuda.loss, cpu.loss, share * cpu.loss);
    EXPECT_NEAR(cuda.integer, cpu.integer, share * cpu.integer);
    EXPECT_NEAR(cuda.gradient_norm, cpu.gradient_norm, 20 * share * cpu.gradient_norm);
  }
}

// More pixels than a stripe of the GPU has. Where the two best logits are clearly apart, both
// devices choose the same level.
TEST_F(Cuda, PredictsTheCpusLevelsAndFraction) {
  torch::manual_seed(2);
  const torch::NoGradGuard no_grad;
  DepthNet net(ModelOptions{});
  for (auto& parameter : net->named_parameters()) {
    if (parameter.key().find("head_") != std::string::npos) parameter.value().normal_(0, 0.5);
  }
  DataOptions data;
  data.image_shape = {256, 320};
  cv::Mat rgb(256, 320, CV_8UC3);
  cv::theRNG().state = 3;
  cv::randu(rgb, 0, 255);
  const auto cpu = NetworkPredictor(net, data, torch::kCPU).predict(rgb);
  const auto picture = to_network_picture(rgb, {.size = data.image_shape});
  const auto logits = net->heads(net->features(picture.image).at(0), 0).integer_logits;
  const auto [best, unused] = logits.topk(2, 1);
  const auto clear = (best.select(1, 0) - best.select(1, 1)) > 1e-4 * best.select(1, 0).abs();
  ASSERT_GT(clear.to(torch::kFloat32).mean().item<double>(), 0.99);
  const auto cuda = NetworkPredictor(net, data, torch::kCUDA).predict(rgb);
  const auto unclear_bytes = clear.logical_not().to(torch::kUInt8).contiguous();
  const cv::Mat unclear(256, 320, CV_8UC1, unclear_bytes.data_ptr());
  cv::Mat differs = cpu.level != cuda.level;
  differs.setTo(0, unclear);
  EXPECT_EQ(cv::countNonZero(differs), 0);
  EXPECT_LT(cv::norm(cpu.fraction, cuda.fraction, cv::NORM_INF), 1e-5);
}

}  // namespace
}  // namespace dualdepth
