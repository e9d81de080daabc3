#include "dualdepth/study/time_left.h"

#include <gtest/gtest.h>

#include "dualdepth/study/study_folder.h"
#include "study/study_fixture.h"

namespace dualdepth::study {
namespace {

constexpr const char* kStudy = R"(base: base.yaml
judge: {weights: [per-tensor]}
seeds: [0, 1, 2]
variants: {a: {}}
)";

class TimeOfThreeRuns : public ::testing::Test {
 protected:
  TimeOfThreeRuns() : study_(file_.load()), runs_(plan_runs(study_, file_.folder() / "out")) {
    bind_folder(file_.folder() / "out", study_, runs_);
  }

  void finish(int seed, const std::string& stage, int seconds) {
    file_.folder().write(
        "out/runs/a/base/seed_" + std::to_string(seed) + "/stages/" + stage + ".json",
        "{\"seconds\": " + std::to_string(seconds) + "}");
  }

  const testing::StudyFile file_{kStudy};
  const StudyConfig study_;
  const std::vector<PlannedRun> runs_;
};

TEST_F(TimeOfThreeRuns, IsUnknownUntilEachStageWasDoneOnce) {
  TimeLeft left(runs_, study_.judge);
  EXPECT_EQ(left.seconds(1), std::nullopt);
  EXPECT_EQ(left.text(1), "");
  finish(0, "train", 100);
  EXPECT_EQ(left.seconds(1), std::nullopt);
}

// Two trainings of 100 and 200 s: 150 s for the third; one export of 4 s, quantize of 10 s and
// evaluation of 6 s: twice each.
TEST_F(TimeOfThreeRuns, IsTheMeanTimeOfEachStageThatIsLeft) {
  finish(0, "train", 100);
  finish(1, "train", 200);
  finish(0, "export", 4);
  finish(0, "int8_per_tensor", 10);
  finish(0, "judge", 6);
  TimeLeft left(runs_, study_.judge);
  EXPECT_EQ(left.seconds(1), 150 + 2 * (4 + 10 + 6));
  EXPECT_EQ(left.text(1), ", about 0:03:10 to go");
  EXPECT_EQ(left.seconds(2), (150 + 2 * (4 + 10 + 6)) / 2.0);
}

}  // namespace
}  // namespace dualdepth::study
