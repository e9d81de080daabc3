#include "dualdepth/train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "dualdepth/base/error.h"
#include "dualdepth/runtime/evaluation.h"
#include "dualdepth/runtime/predictor.h"
#include "testing/kitti_tree.h"
#include "testing/wait_until.h"
#include "tiny_run.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Eight made-up frames, two steps an epoch.
class TrainerTest : public testing::TinyRun {
 protected:
  TrainerTest() {
    tree_.add_frames(8);
    config_ = testing::tiny_config();
    config_.data = tree_.options();
    config_.data.batch_size = 4;
    config_.data.workers = 1;
    config_.output_dir = (tree_.root() / "run").string();
    config_.optimizer.type = OptimizerKind::kSgd;
    config_.optimizer.momentum = 0;
    config_.trainer.log_every = 1;
    config_.trainer.max_steps = 4;
    config_.trainer.panels = 1;
  }

  TrainResult run() const { return train({.config = config_, .checkpoint = {}}); }

  fs::path folder() const { return config_.output_dir; }
  fs::path last() const { return folder() / "checkpoints/last.safetensors"; }
  fs::path best() const { return folder() / "checkpoints/best.safetensors"; }

  std::vector<nlohmann::json> metrics() const {
    std::vector<nlohmann::json> rows;
    std::ifstream stream(folder() / "metrics.jsonl");
    for (std::string line; std::getline(stream, line);) rows.push_back(nlohmann::json::parse(line));
    return rows;
  }

  testing::KittiTree tree_;
  RunConfig config_;
};

NamedTensors tensors_of(const fs::path& checkpoint) {
  return read_tensors(SafetensorsFile(checkpoint));
}

void expect_same_bytes(const fs::path& first, const fs::path& second) {
  const NamedTensors a = tensors_of(first);
  const NamedTensors b = tensors_of(second);
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) EXPECT_TRUE(torch::equal(tensor, b.at(name))) << name;
}

TEST_F(TrainerTest, LearnsAndWritesAllFilesOfARun) {
  config_.optimizer.type = OptimizerKind::kAdamW;
  config_.optimizer.lr = 1e-3;
  config_.trainer.max_steps = 10;
  config_.trainer.keep_every = 5;
  const TrainResult result = run();
  EXPECT_EQ(result.end, RunEnd::kFinished);
  EXPECT_EQ(result.step, 10);
  const auto rows = metrics();
  EXPECT_LT(rows[rows.size() - 2]["loss"].get<double>(), rows[0]["loss"].get<double>());
  EXPECT_EQ(rows.back()["step"], 10);
  EXPECT_TRUE(rows.back().contains("val/abs_rel"));
  EXPECT_EQ(load_run_config(folder() / "config.yaml").trainer.max_steps, 10);
  EXPECT_TRUE(fs::exists(folder() / "log.txt"));
  EXPECT_FALSE(fs::is_empty(folder() / "events"));
  EXPECT_EQ(open_checkpoint(folder() / "checkpoints/step-5.safetensors").metadata["step"], 5);
  EXPECT_EQ(open_checkpoint(last()).metadata["step"], 10);
}

// The last validation is of the last step's weights, so evaluating `last` must give its numbers.
TEST_F(TrainerTest, ValidatesWithTheNumbersOfEval) {
  config_.trainer.ema_decay = 0.9;
  config_.trainer.max_steps = 2;
  run();
  const auto row = metrics().back();
  const LoadedPredictor loaded = open_predictor(last(), {.device = DeviceKind::kCpu});
  const auto dataset = open_dataset(config_.data, SplitRole::kValidation);
  const EvaluationResult result = evaluate(*loaded.predictor, *dataset, config_.evaluation);
  EXPECT_EQ(row["val/abs_rel"].get<double>(), result.summary.abs_rel);
  EXPECT_EQ(row["val/rmse"].get<double>(), result.summary.rmse);
  EXPECT_EQ(row["val/d1"].get<double>(), result.summary.d1);
}

TEST_F(TrainerTest, AStopSignalEndsTheRunWithACheckpointFromWhichItGoesOnExactly) {
  config_.trainer.ema_decay = 0.9;
  config_.trainer.max_steps = 1000000;
  std::jthread interrupter([this](const std::stop_token& run_threw) {
    const fs::path log = folder() / "metrics.jsonl";
    testing::wait_until(
        [&] { return run_threw.stop_requested() || (fs::exists(log) && !fs::is_empty(log)); });
    if (!run_threw.stop_requested()) ::kill(::getpid(), SIGTERM);
  });
  const TrainResult interrupted = run();
  interrupter.join();
  EXPECT_EQ(interrupted.end, RunEnd::kInterrupted);
  EXPECT_EQ(open_checkpoint(last()).metadata["step"], interrupted.step);

  config_.trainer.max_steps = interrupted.step + 3;
  const std::vector<std::string> overrides{"trainer.max_steps=" +
                                           std::to_string(config_.trainer.max_steps)};
  EXPECT_EQ(train(resume_run(folder(), {}, overrides)).end, RunEnd::kFinished);
  const fs::path resumed_last = last();
  const fs::path resumed_best = best();
  config_.output_dir = (tree_.root() / "straight").string();
  run();
  expect_same_bytes(resumed_last, last());
  expect_same_bytes(resumed_best, best());
}

TEST_F(TrainerTest, ResumingAFinishedRunDoesNothing) {
  run();
  const auto written = fs::last_write_time(last());
  EXPECT_EQ(train(resume_run(folder(), {}, {})).end, RunEnd::kWasFinished);
  EXPECT_EQ(fs::last_write_time(last()), written);
}

TEST_F(TrainerTest, AFinishedRunGoesOnWithMoreSteps) {
  run();
  const std::vector<std::string> overrides{"trainer.max_steps=5"};
  const TrainResult result = train(resume_run(last(), {}, overrides));
  EXPECT_EQ(result.end, RunEnd::kFinished);
  EXPECT_EQ(result.step, 5);
  EXPECT_EQ(metrics().back()["step"], 5);
}

TEST_F(TrainerTest, StopsEarlyWhenValidationGetsNoBetter) {
  config_.optimizer.lr = 0;
  config_.trainer.freeze_batch_norm = true;  // nothing changes, so no validation is better
  config_.trainer.max_steps = 20;
  config_.trainer.validate_every = 1;
  config_.trainer.early_stop_patience = 2;
  const TrainResult result = run();
  EXPECT_EQ(result.end, RunEnd::kStoppedEarly);
  EXPECT_EQ(result.step, 3);
  EXPECT_EQ(result.best->step, 1);
}

TEST_F(TrainerTest, KeepsTheBestCheckpoints) {
  config_.trainer.validate_every = 1;
  config_.trainer.keep_top_k = 2;
  const TrainResult result = run();
  EXPECT_EQ(open_checkpoint(best()).metadata["step"], result.best->step);
  size_t ranked = 0;
  for (const auto& entry : fs::directory_iterator(folder() / "checkpoints")) {
    ranked += entry.path().filename().string().starts_with("best-") ? 1 : 0;
  }
  EXPECT_EQ(ranked, 2);
}

TEST_F(TrainerTest, GivesUpAfterTooManyStepsThatAreNotFiniteAndKeepsTheCheckpoint) {
  config_.trainer.max_steps = 2;
  run();
  const std::vector<std::string> overrides{"optimizer.lr=10", "trainer.max_steps=200",
                                           "trainer.max_bad_steps=3",
                                           "trainer.validate_every=1000"};
  EXPECT_THAT(
      [&] { train(resume_run(folder(), {}, overrides)); },
      ThrowsMessage<Error>(AllOf(HasSubstr("3 steps in a row"), HasSubstr("lower optimizer.lr"))));
  EXPECT_EQ(open_checkpoint(last()).metadata["step"], 2);
}

TEST_F(TrainerTest, ADataSetWithoutAPixelInRangeIsAnErrorBeforeAnythingIsWritten) {
  config_.model.params.codec.min_depth = 50;  // the frames hold 5 to 12 m
  EXPECT_THAT([&] { run(); },
              ThrowsMessage<Error>(AllOf(HasSubstr("train.txt"), HasSubstr("none in 8 samples"))));
  EXPECT_FALSE(fs::exists(folder()));
}

TEST_F(TrainerTest, AnUnknownMonitorIsAnErrorBeforeAnythingIsWritten) {
  config_.trainer.monitor = "abs_real";
  EXPECT_THAT([&] { run(); }, ThrowsMessage<Error>(HasSubstr("abs_real")));
  EXPECT_FALSE(fs::exists(folder()));
}

TEST_F(TrainerTest, AFolderThatCannotBeWrittenIsAnErrorThatNamesIt) {
  config_.output_dir = "/proc/none";
  EXPECT_THAT([&] { run(); }, ThrowsMessage<Error>(HasSubstr("/proc/none")));
}

TEST_F(TrainerTest, TrainsWithoutValidation) {
  config_.data.val_split = "";
  config_.trainer.max_steps = 1;
  const TrainResult result = run();
  EXPECT_FALSE(result.best.has_value());
  EXPECT_FALSE(fs::exists(best()));
  EXPECT_TRUE(fs::exists(last()));
}

}  // namespace
}  // namespace dualdepth
