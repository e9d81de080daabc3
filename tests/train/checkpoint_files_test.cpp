#include "dualdepth/train/checkpoint_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::ElementsAre;

std::vector<int64_t> steps_of(const RunPosition& position) {
  std::vector<int64_t> steps;
  steps.reserve(position.best.size());
  for (const ScoredStep& scored : position.best) steps.push_back(scored.step);
  return steps;
}

TEST(NoteScore, RanksLowerErrorsFirst) {
  TrainerOptions options;
  options.keep_top_k = 2;
  RunPosition position;
  note_score(position, {10, 0.3}, options);
  note_score(position, {20, 0.2}, options);
  note_score(position, {30, 0.4}, options);
  EXPECT_THAT(steps_of(position), ElementsAre(20, 10));
  EXPECT_EQ(position.validations_since_best, 1);
  note_score(position, {40, 0.25}, options);
  EXPECT_THAT(steps_of(position), ElementsAre(20, 40));
  EXPECT_EQ(position.validations_since_best, 2);
  note_score(position, {50, 0.1}, options);
  EXPECT_EQ(position.validations_since_best, 0);
}

TEST(NoteScore, RanksHigherAccuracyFirst) {
  TrainerOptions options;
  options.monitor = "d1";
  RunPosition position;
  note_score(position, {10, 0.8}, options);
  note_score(position, {20, 0.9}, options);
  EXPECT_THAT(steps_of(position), ElementsAre(20));
}

TEST(NoteScore, AnEqualScoreIsNoNewBest) {
  RunPosition position;
  note_score(position, {10, 0.3}, {});
  note_score(position, {20, 0.3}, {});
  EXPECT_THAT(steps_of(position), ElementsAre(10));
  EXPECT_EQ(position.validations_since_best, 1);
}

TEST(CheckpointFiles, NamesWhatASaveWritesWithLastAtTheEnd) {
  const CheckpointFiles files("run");
  TrainerOptions options;
  options.keep_top_k = 3;
  options.keep_every = 50;
  RunPosition position;
  position.step = 100;
  EXPECT_THAT(
      files.names_for(position, options),
      ElementsAre("run/checkpoints/step-100.safetensors", "run/checkpoints/last.safetensors"));
  position.best = {{100, 0.1}, {80, 0.2}};
  EXPECT_THAT(
      files.names_for(position, options),
      ElementsAre("run/checkpoints/best-100.safetensors", "run/checkpoints/best.safetensors",
                  "run/checkpoints/step-100.safetensors", "run/checkpoints/last.safetensors"));
  position.best = {{80, 0.1}, {100, 0.2}};
  options.keep_every = 0;
  EXPECT_THAT(
      files.names_for(position, options),
      ElementsAre("run/checkpoints/best-100.safetensors", "run/checkpoints/last.safetensors"));
}

TEST(CheckpointFiles, RemovesOnlyWhatIsNoLongerRanked) {
  const testing::TempFolder folder;
  for (const char* name : {"best-10", "best-20", "best", "last", "step-10"}) {
    folder.write(std::string("checkpoints/") + name + ".safetensors", "x");
  }
  RunPosition position;
  position.best = {{20, 0.1}};
  CheckpointFiles(folder.path()).remove_outranked(position);
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "checkpoints")) {
    left.push_back(entry.path().stem());
  }
  EXPECT_THAT(left, ::testing::UnorderedElementsAre("best-20", "best", "last", "step-10"));
}

}  // namespace
}  // namespace dualdepth
