#include "dualdepth/train/bad_steps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/log.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Steps of two batches with three samples; the third bad one in a row is one too many.
class BadSteps : public ::testing::Test {
 protected:
  BadSteps() : batches_(2) {
    config_.output_dir = "runs/first";
    config_.trainer.max_bad_steps = 3;
    batches_[0].ids = {"drive/a", "drive/b"};
    batches_[1].ids = {"drive/c"};
  }

  void note(StepOutcome outcome) {
    ++position_.step;
    note_outcome({.outcome = outcome}, batches_, config_, position_);
  }

  RunConfig config_;
  std::vector<Batch> batches_;
  RunPosition position_;
};

TEST_F(BadSteps, AreLoggedWithTheirStepAndAllTheirSamples) {
  const testing::TempFolder folder;
  {
    const LogFile log(folder / "log.txt");
    note(StepOutcome::kUpdated);
    note(StepOutcome::kNotFinite);
  }
  const std::string log = read_file(folder / "log.txt");
  EXPECT_THAT(log, AllOf(HasSubstr("step 2 skipped"), HasSubstr("drive/a, drive/b, drive/c")));
  EXPECT_EQ(log.find("step 1"), std::string::npos) << log;
  EXPECT_EQ(position_.skipped_steps, 1);
  EXPECT_EQ(position_.skipped_in_row, 1);
}

TEST_F(BadSteps, OnlyThoseInARowCountTowardsTheLimit) {
  note(StepOutcome::kNotFinite);
  note(StepOutcome::kNotFinite);
  note(StepOutcome::kUpdated);
  EXPECT_EQ(position_.skipped_in_row, 0);
  note(StepOutcome::kNotFinite);
  note(StepOutcome::kNotFinite);
  EXPECT_EQ(position_.skipped_steps, 4);
  EXPECT_THAT([&] { note(StepOutcome::kNotFinite); },
              ThrowsMessage<Error>(AllOf(HasSubstr("runs/first"), HasSubstr("3 steps in a row"),
                                         HasSubstr("up to step 6"), HasSubstr("optimizer.lr"))));
}

// A step whose batches have no pixel in range neither adds to the row nor ends it.
TEST_F(BadSteps, AStepWithoutPixelsChangesNothing) {
  note(StepOutcome::kNotFinite);
  note(StepOutcome::kEmpty);
  EXPECT_EQ(position_.skipped_in_row, 1);
  note(StepOutcome::kNotFinite);
  EXPECT_THROW(note(StepOutcome::kNotFinite), Error);
}

}  // namespace
}  // namespace dualdepth
