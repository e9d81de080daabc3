#include "dualdepth/train/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/train/train_step.h"
#include "testing/file_size_limit.h"
#include "testing/interop_python.h"
#include "testing/temp_folder.h"
#include "tiny_run.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using testing::tiny_batch;
using testing::tiny_config;

class CheckpointTest : public testing::TinyRun {};

constexpr RunLength kLength{.total_steps = 10, .steps_per_epoch = 5};

// A state of some steps with every part in use.
TrainState used_state(const RunConfig& config) {
  TrainState state = start_state(config, torch::kCPU);
  TrainStep step(state.net, state.optimizer, config);
  for (uint64_t seed : {1, 2}) {
    step(std::vector<Batch>{tiny_batch(seed)}, 1);
    state.update_average();
  }
  state.position = {.step = 7,
                    .epoch = 1,
                    .batch = 2,
                    .skipped_steps = 3,
                    .skipped_in_row = 1,
                    .best = {{5, 0.25}, {3, 0.5}},
                    .validations_since_best = 4};
  return state;
}

void write(const fs::path& file, const TrainState& state, const RunConfig& config) {
  write_checkpoint(std::array{file}, state, config, kLength);
}

TEST_F(CheckpointTest, GivesBackTheStateByteForByte) {
  const testing::TempFolder folder;
  RunConfig config = tiny_config();
  config.trainer.ema_decay = 0.99;
  const TrainState state = used_state(config);
  torch::manual_seed(99);
  write(folder / "a.safetensors", state, config);
  const double next_random = at::rand({}).item<double>();

  const TrainState resumed =
      resume_state(config, torch::kCPU, open_checkpoint(folder / "a.safetensors"));
  EXPECT_EQ(at::rand({}).item<double>(), next_random);
  const NamedTensors expected = state.tensors();
  const NamedTensors got = resumed.tensors();
  ASSERT_EQ(expected.size(), got.size());
  for (const auto& [name, tensor] : expected) {
    EXPECT_TRUE(torch::equal(tensor, got.at(name))) << name;
  }
  EXPECT_EQ(resumed.position.step, 7);
  EXPECT_EQ(resumed.position.epoch, 1);
  EXPECT_EQ(resumed.position.batch, 2);
  EXPECT_EQ(resumed.position.skipped_steps, 3);
  EXPECT_EQ(resumed.position.skipped_in_row, 1);
  ASSERT_EQ(resumed.position.best.size(), 2);
  EXPECT_EQ(resumed.position.best[1].step, 3);
  EXPECT_EQ(resumed.position.best[1].value, 0.5);
  EXPECT_EQ(resumed.position.validations_since_best, 4);
}

TEST_F(CheckpointTest, PredictsWithTheAveragedWeights) {
  const testing::TempFolder folder;
  RunConfig config = tiny_config();
  config.trainer.ema_decay = 0.99;
  const TrainState state = used_state(config);
  write(folder / "a.safetensors", state, config);
  DepthNet net = load_network(open_checkpoint(folder / "a.safetensors"));
  const std::string name = "encoder.conv1.weight";
  EXPECT_TRUE(torch::equal(net->named_parameters()[name], state.average->tensors().at(name)));
  EXPECT_FALSE(torch::equal(net->named_parameters()[name], state.net->named_parameters()[name]));
}

TEST_F(CheckpointTest, OneSaveHasSeveralNames) {
  const testing::TempFolder folder;
  const RunConfig config = tiny_config();
  const TrainState state = used_state(config);
  folder.write("last.safetensors", "old");
  write_checkpoint(std::array{folder / "best.safetensors", folder / "last.safetensors"}, state,
                   config, kLength);
  EXPECT_EQ(read_file(folder / "best.safetensors"), read_file(folder / "last.safetensors"));
  EXPECT_EQ(open_checkpoint(folder / "last.safetensors").metadata["step"], 7);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 2);
}

TEST_F(CheckpointTest, AFullDiskLeavesTheOldFile) {
  const testing::TempFolder folder;
  const RunConfig config = tiny_config();
  const TrainState state = used_state(config);
  const fs::path file = folder / "last.safetensors";
  write(file, state, config);
  const std::string before = read_file(file);
  {
    const testing::FileSizeLimit full_disk(1 << 20);
    EXPECT_THAT([&] { write(file, state, config); },
                ThrowsMessage<Error>(HasSubstr("last.safetensors")));
  }
  EXPECT_EQ(read_file(file), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST_F(CheckpointTest, OfAnotherNetworkListsAllDifferences) {
  const testing::TempFolder folder;
  const RunConfig config = tiny_config();
  write(folder / "a.safetensors", used_state(config), config);
  RunConfig other = config;
  other.model.params.codec.n_integer_levels = 48;
  other.optimizer.type = OptimizerKind::kSgd;
  EXPECT_THAT([&] { resume_state(other, torch::kCPU, open_checkpoint(folder / "a.safetensors")); },
              ThrowsMessage<Error>(AllOf(HasSubstr("model.decoder.head_0.integer.weight"),
                                         HasSubstr("model.decoder.head_0.integer.bias"),
                                         HasSubstr("optimizer.momentum.encoder.conv1.weight"),
                                         HasSubstr("optimizer.exp_avg.encoder.conv1.weight"))));
}

TEST_F(CheckpointTest, MetadataThatDoesNotFitIsAnErrorThatNamesTheFile) {
  const testing::TempFolder folder;
  const RunConfig config = tiny_config();
  write(folder / "a.safetensors", used_state(config), config);
  for (const auto& [key, value] : std::map<std::string, nlohmann::json>{
           {"step", -1}, {"sampler", 3}, {"best", {1, 2}}, {"random", {{"cpu", "zz"}}}}) {
    Checkpoint checkpoint = open_checkpoint(folder / "a.safetensors");
    checkpoint.metadata[key] = value;
    EXPECT_THAT([&] { resume_state(config, torch::kCPU, checkpoint); },
                ThrowsMessage<Error>(HasSubstr("a.safetensors")))
        << key;
  }
}

TEST_F(CheckpointTest, OpensWithPythonsSafetensors) {
  DUALDEPTH_NEEDS_INTEROP();
  const testing::TempFolder folder;
  const RunConfig config = tiny_config();
  write(folder / "a.safetensors", used_state(config), config);
  const auto result =
      testing::run_interop_script("train/read_checkpoint.py", folder / "a.safetensors");
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("step 7 epoch 1 libtorch 2."));
  EXPECT_THAT(result.output, HasSubstr("codec reflected linear 256 0.1 80.0"));
  EXPECT_THAT(result.output, HasSubstr("model.encoder.conv1.weight torch.float32 [8, 3, 7, 7]"));
  EXPECT_THAT(result.output,
              HasSubstr("optimizer.exp_avg_sq.encoder.conv1.weight torch.float32 [8, 3, 7, 7]"));
}

}  // namespace
}  // namespace dualdepth
