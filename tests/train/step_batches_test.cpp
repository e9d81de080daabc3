#include "dualdepth/train/step_batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "testing/kitti_tree.h"
#include "tiny_run.h"

namespace dualdepth {
namespace {

using ::testing::ElementsAre;

// Fourteen frames in batches of two: seven batches an epoch.
class StepBatchesTest : public ::testing::Test {
 protected:
  StepBatchesTest() {
    tree_.add_frames(14);
    config_ = testing::tiny_config();
    config_.data = tree_.options();
    config_.data.batch_size = 2;
    config_.data.workers = 1;
  }

  StepBatches make() const {
    return {open_dataset(config_.data, SplitRole::kTrain), config_, /*pin_memory=*/false};
  }

  testing::KittiTree tree_;
  RunConfig config_;
};

std::vector<std::string> ids_of(const std::vector<Batch>& batches) {
  std::vector<std::string> ids;
  for (const Batch& batch : batches) ids.insert(ids.end(), batch.ids.begin(), batch.ids.end());
  return ids;
}

TEST_F(StepBatchesTest, DealsAccumulateBatchesToAStepAndLeavesOutWhatAnEpochHasOver) {
  config_.trainer.accumulate = 3;
  StepBatches batches = make();
  TrainerOptions length;
  length.max_epochs = 4;
  EXPECT_EQ(batches.run_length(length).total_steps, 8);
  EXPECT_EQ(batches.run_length(length).steps_per_epoch, 2);
  length.max_steps = 5;
  EXPECT_EQ(batches.run_length(length).total_steps, 5);
  RunPosition position;
  batches.start_at(position);
  std::vector<std::pair<int64_t, int64_t>> seen;
  std::vector<bool> over;
  for (int step = 0; step < 4; ++step) {
    EXPECT_EQ(batches.next(position).size(), 3u);
    seen.emplace_back(position.epoch, position.batch);
    over.push_back(batches.epoch_is_over(position));
  }
  using Place = std::pair<int64_t, int64_t>;
  EXPECT_THAT(seen, ElementsAre(Place{0, 3}, Place{0, 6}, Place{1, 3}, Place{1, 6}));
  EXPECT_THAT(over, ElementsAre(false, true, false, true));
}

TEST_F(StepBatchesTest, AnEpochWithFewerBatchesIsOneStep) {
  config_.trainer.accumulate = 100;
  StepBatches batches = make();
  RunPosition position;
  batches.start_at(position);
  EXPECT_EQ(batches.next(position).size(), 7u);
  EXPECT_TRUE(batches.epoch_is_over(position));
}

TEST_F(StepBatchesTest, GoesOnInsideAnEpochWithTheBatchesOfAStraightRun) {
  config_.trainer.accumulate = 2;
  StepBatches straight = make();
  RunPosition position;
  straight.start_at(position);
  straight.next(position);
  straight.next(position);
  const RunPosition saved = position;

  StepBatches resumed = make();
  RunPosition from_checkpoint = saved;
  resumed.start_at(from_checkpoint);
  for (int step = 0; step < 5; ++step) {
    EXPECT_EQ(ids_of(resumed.next(from_checkpoint)), ids_of(straight.next(position))) << step;
    EXPECT_EQ(from_checkpoint.epoch, position.epoch);
    EXPECT_EQ(from_checkpoint.batch, position.batch);
  }
}

}  // namespace
}  // namespace dualdepth
