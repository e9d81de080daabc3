#include "dualdepth/study/study_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "study/study_fixture.h"
#include "testing/folder_contents.h"

namespace dualdepth::study {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::StudyFile;
using ::testing::ThrowsMessage;

const std::string kStudy = R"(base: base.yaml
variants:
  a: {}
  b: {model.params.max_depth: 30}
)";

// A study bound to the folder OUT beside its file.
class BoundStudy : public ::testing::Test {
 protected:
  static void bind(const StudyFile& file, const fs::path& out,
                   const std::vector<std::string>& overrides = {}) {
    const auto study = file.load(overrides);
    bind_folder(out, study, plan_runs(study, out));
  }

  // As its training does.
  static void begin_training(const fs::path& out, const std::string& variant) {
    fs::create_directories(out / "runs" / variant / "base/seed_0/train");
  }

  static auto error_of(const StudyFile& file, const fs::path& out,
                       const std::vector<std::string>& overrides = {}) {
    try {
      bind(file, out, overrides);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  }
};

TEST_F(BoundStudy, RunsKnowTheirTaskFromTheirFolder) {
  const StudyFile file(kStudy +
                       "judge: {pictures: 9, weights: [per-tensor], without: [centring]}\n");
  const fs::path out = file.folder() / "out";
  bind(file, out, {"seeds=[7]"});
  const RunTask task = read_task(out / "runs/b/base/seed_7");
  EXPECT_EQ(task.run.variant, "b");
  EXPECT_EQ(task.run.data, "base");
  EXPECT_EQ(task.run.seed, 7);
  EXPECT_EQ(task.run.config.seed, 7);
  EXPECT_EQ(task.run.config.model.params.codec.max_depth, 30);
  EXPECT_EQ(task.run.config.output_dir, (out / "runs/b/base/seed_7/train").string());
  EXPECT_EQ(task.judge.pictures, 9);
  EXPECT_THAT(task.judge.without, ElementsAre(QuantizePart::kCentring));
  EXPECT_THAT(stages_of(task.judge), ElementsAre("train", "export", "int8_per_tensor", "judge"));
}

TEST_F(BoundStudy, TheSameStudyAgainChangesNothing) {
  const StudyFile file(kStudy);
  bind(file, file.folder() / "out");
  const auto before = ::dualdepth::testing::folder_contents(file.folder() / "out");
  bind(file, file.folder() / "out");
  EXPECT_TRUE(::dualdepth::testing::folder_contents(file.folder() / "out") == before);
}

TEST_F(BoundStudy, VariantsAndSeedsMayBeAdded) {
  const StudyFile file(kStudy);
  const fs::path out = file.folder() / "out";
  bind(file, out);
  file.folder().write("heads.yaml", kStudy + "  c: {}\nseeds: [0, 1]\n");
  EXPECT_EQ(error_of(file, out), "no error");
  EXPECT_TRUE(fs::exists(out / "runs/c/base/seed_1/run.json"));
}

TEST_F(BoundStudy, AChangedVariantIsNamedWithItsKeys) {
  const StudyFile file(kStudy);
  const fs::path out = file.folder() / "out";
  bind(file, out);
  begin_training(out, "b");
  const auto before = ::dualdepth::testing::folder_contents(out);
  const std::string error = error_of(file, out, {"variants.b.model.params.max_depth=40"});
  EXPECT_THAT(error,
              AllOf(HasSubstr(out.string() + ": expected results of this study"),
                    HasSubstr("variant b on data base: model.params.max_depth was 30, is 40"),
                    HasSubstr("--out"), Not(HasSubstr("variant a"))));
  EXPECT_TRUE(::dualdepth::testing::folder_contents(out) == before);
}

TEST_F(BoundStudy, WhatHasNotBegunToTrainMayChange) {
  const StudyFile file(kStudy);
  const fs::path out = file.folder() / "out";
  bind(file, out);
  EXPECT_EQ(error_of(file, out, {"variants.b.model.params.max_depth=40", "judge.pictures=3"}),
            "no error");
  const RunTask task = read_task(out / "runs/b/base/seed_0");
  EXPECT_EQ(task.run.config.model.params.codec.max_depth, 40);
  EXPECT_EQ(task.judge.pictures, 3);
}

TEST_F(BoundStudy, AnotherWayToJudgeIsNamed) {
  const StudyFile file(kStudy);
  bind(file, file.folder() / "out");
  begin_training(file.folder() / "out", "a");
  EXPECT_THAT(error_of(file, file.folder() / "out", {"judge.calibration_pictures=5"}),
              HasSubstr("judge.calibration_pictures was 128, is 5"));
}

TEST_F(BoundStudy, AnotherDeviceIsTheSameStudyAndHolds) {
  const StudyFile file(kStudy);
  const fs::path out = file.folder() / "out";
  bind(file, out);
  begin_training(out, "a");
  EXPECT_EQ(error_of(file, out, {"variants.a.device=cpu"}), "no error");
  EXPECT_EQ(read_task(out / "runs/a/base/seed_0").run.config.device, DeviceKind::kCpu);
}

TEST_F(BoundStudy, AFolderOfAnotherStudyIsRefused) {
  const StudyFile file(kStudy);
  const fs::path out = file.folder() / "out";
  bind(file, out);
  const StudyFile other("base: base.yaml\nvariants: {wide: {}, narrow: {}}\n", "other.yaml");
  EXPECT_THAT(error_of(other, out),
              HasSubstr("expected results of this study, got those of another one, with the "
                        "variants a, b"));
}

TEST_F(BoundStudy, AFolderWithOtherFilesIsRefused) {
  const StudyFile file(kStudy);
  file.folder().write("out/thesis.tex", "years of work");
  EXPECT_THAT(
      error_of(file, file.folder() / "out"),
      HasSubstr("expected an empty folder, or one of this study, got one with other files"));
  EXPECT_EQ(read_file(file.folder() / "out/thesis.tex"), "years of work");
}

TEST(ReadTask, OfAnotherFolderIsOneError) {
  const ::dualdepth::testing::TempFolder folder;
  EXPECT_THAT([&] { read_task(folder.path()); },
              ThrowsMessage<Error>(AllOf(HasSubstr(folder.path().string()),
                                         HasSubstr("the folder of one run of a study"))));
}

TEST(StageResult, OneThatIsNoJsonIsNamed) {
  const ::dualdepth::testing::TempFolder folder;
  folder.write("stages/train.json", "{\"seconds\": 1");
  EXPECT_THAT([&] { stage_result(folder.path(), "train"); },
              ThrowsMessage<Error>(HasSubstr("stages/train.json")));
}

TEST(StageResult, AnEvaluationOfSomeFilesOnlyIsNotDone) {
  const ::dualdepth::testing::TempFolder folder;
  EXPECT_FALSE(stage_is_done(folder.path(), "judge"));
  folder.write("stages/judge.json", R"({"complete": false})");
  EXPECT_FALSE(stage_is_done(folder.path(), "judge"));
  folder.write("stages/judge.json", R"({"complete": true})");
  EXPECT_TRUE(stage_is_done(folder.path(), "judge"));
}

TEST(NoteError, IsReadBackAndRemoved) {
  const ::dualdepth::testing::TempFolder folder;
  note_error(folder.path(), "no luck");
  EXPECT_EQ(last_error(folder.path()), "no luck");
  note_error(folder.path(), "");
  EXPECT_EQ(last_error(folder.path()), std::nullopt);
}

}  // namespace
}  // namespace dualdepth::study
