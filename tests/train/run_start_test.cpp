#include "dualdepth/train/run_start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "dualdepth/base/error.h"
#include "dualdepth/train/checkpoint.h"
#include "testing/temp_folder.h"
#include "tiny_run.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

// A folder with the configuration run.yaml and, below run/, a run of it with a checkpoint of
// step 3.
class RunStartTest : public testing::TinyRun {
 protected:
  RunStartTest() {
    RunConfig config = testing::tiny_config();
    config.output_dir = run().string();
    config.optimizer.momentum = 0;
    config.optimizer.type = OptimizerKind::kSgd;  // without state: a small checkpoint
    config_file_ = folder_.write("run.yaml", to_yaml(config));
    folder_.write("run/config.yaml", to_yaml(config));
    fs::create_directories(run() / "checkpoints");
    TrainState state = start_state(config, torch::kCPU);
    state.position.step = 3;
    write_checkpoint(std::array{last()}, state, config, {.total_steps = 10, .steps_per_epoch = 5});
  }

  fs::path run() const { return folder_ / "run"; }
  fs::path last() const { return run() / "checkpoints/last.safetensors"; }

  testing::TempFolder folder_;
  fs::path config_file_;
};

TEST_F(RunStartTest, AFreshRunDoesNotWriteOverAnother) {
  EXPECT_THAT([&] { start_fresh(config_file_, {}); },
              ThrowsMessage<Error>(AllOf(HasSubstr(run().string()), HasSubstr("--resume"),
                                         HasSubstr("output_dir="))));
  const std::vector<std::string> elsewhere{"output_dir=" + (folder_ / "new").string()};
  EXPECT_FALSE(start_fresh(config_file_, elsewhere).checkpoint.has_value());
}

TEST_F(RunStartTest, AFolderIsResumedFromItsLastCheckpoint) {
  const RunStart start = resume_run(run(), {}, {});
  EXPECT_EQ(start.checkpoint, last());
  EXPECT_EQ(start.config.output_dir, run());
  EXPECT_EQ(start.config.data.image_shape, (std::vector<int64_t>{64, 64}));
}

TEST_F(RunStartTest, AFileIsResumedInTheFolderOfItsRun) {
  const RunStart start = resume_run(last(), config_file_, {});
  EXPECT_EQ(start.checkpoint, last());
  EXPECT_EQ(start.config.output_dir, run());
}

TEST_F(RunStartTest, ARunThatWasMovedGoesOnWhereItIsNow) {
  fs::rename(run(), folder_ / "moved");
  EXPECT_EQ(resume_run(folder_ / "moved", {}, {}).config.output_dir, folder_ / "moved");
}

TEST_F(RunStartTest, AnotherFolderCanBeNamedUnlessItHoldsARun) {
  const std::vector<std::string> fork{"output_dir=" + (folder_ / "fork").string()};
  EXPECT_EQ(resume_run(run(), {}, fork).config.output_dir, folder_ / "fork");
  folder_.write("fork/config.yaml", "");
  EXPECT_THAT([&] { resume_run(run(), {}, fork); }, ThrowsMessage<Error>(HasSubstr("fork")));
}

TEST_F(RunStartTest, AnotherNetworkIsRefusedWithAllDifferences) {
  const std::vector<std::string> overrides{"model.encoder=resnet34", "optimizer.type=adam",
                                           "trainer.max_steps=50", "trainer.ema_decay=0.9"};
  EXPECT_THAT(
      [&] { resume_run(run(), {}, overrides); },
      ThrowsMessage<Error>(AllOf(HasSubstr("model.encoder: expected resnet18, got resnet34"),
                                 HasSubstr("optimizer.type: expected sgd, got adam"),
                                 HasSubstr("trainer.ema_decay: expected 0, got 0.9"),
                                 Not(HasSubstr("max_steps")))));
}

TEST_F(RunStartTest, OtherStepsAndRatesAreTaken) {
  const std::vector<std::string> overrides{"optimizer.lr=0.5", "trainer.max_steps=50"};
  const RunStart start = resume_run(run(), {}, overrides);
  EXPECT_EQ(start.config.optimizer.lr, 0.5);
  EXPECT_EQ(start.config.trainer.max_steps, 50);
}

TEST_F(RunStartTest, ARunKilledBeforeItsFirstCheckpointBeginsAgain) {
  fs::remove(last());
  const RunStart start = resume_run(run(), {}, {});
  EXPECT_FALSE(start.checkpoint.has_value());
  EXPECT_EQ(start.config.output_dir, run());
}

TEST_F(RunStartTest, AFolderWithoutARunIsAnErrorThatNamesIt) {
  EXPECT_THAT([&] { resume_run(folder_ / "none", {}, {}); },
              ThrowsMessage<Error>(HasSubstr("none")));
}

}  // namespace
}  // namespace dualdepth
