// `dualdepth study` as people run it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/browser.h"
#include "dualdepth/base/atomic_file.h"
#include "testing/file_size_limit.h"
#include "testing/folder_contents.h"
#include "testing/kitti_tree.h"
#include "testing/narrow_model.h"
#include "testing/program.h"
#include "testing/wait_until.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Program;
using testing::ProgramResult;
using testing::wait_until;
using Words = std::vector<std::string>;

nlohmann::json json_of(const fs::path& file) { return nlohmann::json::parse(read_file(file)); }

// The study that ships, from nothing to its page.
class SmokeStudy : public Browser {
 protected:
  void SetUp() override {}  // most tests need no browser
  static void SetUpTestSuite() {
    folder_ = std::make_unique<testing::TempFolder>();
    first_ = run();
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static ProgramResult run() {
    return testing::run_program(
        testing::program(),
        {"study", (testing::source_dir() / "configs/studies/smoke.yaml").string(), "--out",
         (*folder_ / "out").string(), "--jobs", "2"});
  }
  static fs::path out() { return *folder_ / "out"; }

  inline static std::unique_ptr<testing::TempFolder> folder_;
  inline static ProgramResult first_;
};

TEST_F(SmokeStudy, PrintsATable) {
  EXPECT_EQ(first_.exit_code, 0) << first_.errors;
  EXPECT_THAT(first_.output,
              AllOf(HasSubstr("levels_256                 2/2"),
                    HasSubstr("one_sigmoid                2/2"), HasSubstr("study.html")));
}

TEST_F(SmokeStudy, JsonHasEachRunInFloatAndIn8Bits) {
  const auto json = json_of(out() / "study.json");
  ASSERT_EQ(json["variants"].size(), 4U);
  for (const auto& run : json["variants"]) {
    EXPECT_EQ(run["data"], "roads");
    for (const char* name :
         {"float", "float_as_written", "int8", "int8_per_channel", "int8_per_channel_as_written",
          "int8_per_tensor", "int8_per_tensor_as_written"}) {
      ASSERT_TRUE(run.contains(name)) << run;
      EXPECT_GT(run[name]["abs_rel"].get<double>(), 0) << name;
    }
  }
}

// The exported file computes what the checkpoint does, so that its metrics are the same.
TEST_F(SmokeStudy, TheExportedFileIsJudgedAsTheCheckpoint) {
  const auto json = json_of(out() / "study.json");
  for (const auto& run : json["variants"]) {
    EXPECT_NEAR(run["float"]["abs_rel"].get<double>(),
                run["float_as_written"]["abs_rel"].get<double>(), 1e-4)
        << run["name"];
    EXPECT_LT(run["float_as_written"]["median_mm"].get<double>(), 1) << run["name"];
  }
}

// Each pixel has a byte for the level and one for the fraction, or one for the sigmoid.
TEST_F(SmokeStudy, CostIsThatOfTheHeads) {
  const auto json = json_of(out() / "study.json");
  EXPECT_EQ(json["summary"][0]["cost"]["handed_out_bytes"], 2 * 32 * 96);
  EXPECT_EQ(json["summary"][1]["cost"]["handed_out_bytes"], 32 * 96);
  // 3x3 filters from 8 channels to 256 levels and a fraction at each pixel, or to one sigmoid.
  EXPECT_EQ(json["summary"][0]["cost"]["head_macs"], 9 * 8 * 257 * 32 * 96);
  EXPECT_EQ(json["summary"][1]["cost"]["head_macs"], 9 * 8 * 32 * 96);
}

TEST_F(SmokeStudy, ThePageFitsOnATelephoneAndOnADesk) {
  if (!has_browser()) GTEST_SKIP() << kNoBrowser;
  expect_fine("study", out() / "study.html", "0 pictures and 4 plots");
}

TEST_F(SmokeStudy, WhatIsDoneIsNotDoneAgain) {
  const auto before = testing::folder_contents(out() / "runs");
  const ProgramResult again = run();
  EXPECT_EQ(again.exit_code, 0) << again.errors;
  EXPECT_THAT(again.errors, HasSubstr("0 of 4 runs to do"));
  EXPECT_EQ(again.output, first_.output);
  EXPECT_TRUE(testing::folder_contents(out() / "runs") == before);
}

// A study on the pictures of a KITTI tree, 64x32 each.
class StudyVerb : public ::testing::Test {
 protected:
  void SetUp() override {
    tree_.add_frames(3);
    tree_.folder().write("base.yaml", "threads: 1\ndata:\n  root: " + tree_.root().string() +
                                          "\n  train_split: " + path("train.txt") +
                                          "\n  val_split: " + path("train.txt") +
                                          "\n  image_shape: [32, 64]\n  batch_size: 2\n"
                                          "trainer: {max_steps: 4, panels: 0}\n"
                                          "evaluation: {protocol: benchmark}\n" +
                                          testing::kNarrowModelYaml);
  }

  void write_study(const std::string& variants, const std::string& more = "") const {
    tree_.folder().write("study.yaml",
                         "base: base.yaml\njudge:\n  weights: [per-tensor]\n"
                         "  calibration_pictures: 2\n"
                         "  without: [equalization, bias-correction, adaptive-rounding]\n"
                         "variants:\n" +
                             variants + more);
  }

  Words words(const Words& more = {}) const {
    Words all{"study", path("study.yaml"), "--out", path("out")};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  ProgramResult run(const Words& more = {}) const {
    return testing::run_program(testing::program(), words(more));
  }
  std::string path(const std::string& name) const { return (tree_.root() / name).string(); }
  std::string folder_of(const std::string& variant) const {
    return path("out/runs/" + variant + "/base/seed_0");
  }

  // Starts the study, waits for the file and kills the program.
  void kill_when(const fs::path& file) const {
    Program program(testing::program(), words(), path("out.txt"), path("err.txt"));
    ASSERT_TRUE(wait_until([&] { return fs::exists(file) || program.has_ended(); }));
    ASSERT_FALSE(program.has_ended()) << read_file(path("err.txt"));
    program.send(SIGKILL);
    EXPECT_EQ(program.wait(), -SIGKILL);
  }

  void expect_error(const ProgramResult& result, const Words& parts) const {
    EXPECT_EQ(result.exit_code, 2) << result.output << result.errors;
    EXPECT_THAT(result.errors, AllOf(HasSubstr("error: "), Not(HasSubstr("internal"))));
    for (const std::string& part : parts) EXPECT_THAT(result.errors, HasSubstr(part));
  }

  testing::KittiTree tree_;
};

TEST_F(StudyVerb, GoesOnAfterKill9WhileItTrains) {
  write_study("  a: {trainer.checkpoint_every: 1, trainer.max_steps: 12}\n");
  const fs::path last = folder_of("a") + "/train/checkpoints/last.safetensors";
  kill_when(last);
  EXPECT_FALSE(fs::exists(folder_of("a") + "/stages/train.json"));
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(read_file(folder_of("a") + "/log.txt"), HasSubstr("resumes at step"));
  EXPECT_EQ(json_of(path("out/study.json"))["summary"][0]["done"], 1);
}

TEST_F(StudyVerb, GoesOnAfterKill9BetweenTrainingAndEvaluation) {
  write_study("  a: {}\n");
  const fs::path trained = folder_of("a") + "/stages/train.json";
  kill_when(trained);
  const std::string before = read_file(trained);
  EXPECT_FALSE(fs::exists(folder_of("a") + "/stages/judge.json"));
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(read_file(trained), before);
  EXPECT_EQ(json_of(path("out/study.json"))["summary"][0]["done"], 1);
}

TEST_F(StudyVerb, AVariantThatFailsDoesNotStopTheOthers) {
  write_study(
      "  broken: {model.pretrained: /nowhere.safetensors}\n"
      "  whole: {}\n");
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("1 of 2 runs failed"));
  const auto json = json_of(path("out/study.json"));
  EXPECT_THAT(json["variants"][0]["error"].get<std::string>(), HasSubstr("/nowhere.safetensors"));
  EXPECT_FALSE(json["variants"][0].contains("float"));
  EXPECT_TRUE(json["variants"][1].contains("int8"));
  EXPECT_THAT(read_file(path("out/study.html")),
              AllOf(HasSubstr("Runs that failed"), HasSubstr("/nowhere.safetensors")));
}

TEST_F(StudyVerb, AFullDiskIsOneErrorAndALaterRunGoesOn) {
  write_study("  a: {}\n  b: {}\n");
  {
    const testing::FileSizeLimit limit(1 << 20);  // checkpoints have more
    expect_error(run({"--jobs", "1"}), {path("out"), "room for the results", "File too large",
                                        "goes on where it stopped"});
  }
  EXPECT_FALSE(fs::exists(folder_of("b") + "/train"));
  write_study("  a: {}\n");
  EXPECT_EQ(run().exit_code, 0);
}

TEST_F(StudyVerb, AnInterruptEndsItWith130AndALaterRunGoesOn) {
  write_study("  a: {trainer.max_steps: 100000}\n");
  Program program(testing::program(), words(), path("out.txt"), path("err.txt"));
  ASSERT_TRUE(wait_until([&] { return fs::exists(folder_of("a") + "/train/metrics.jsonl"); }));
  program.send(SIGINT);
  EXPECT_EQ(program.wait(), 130) << read_file(path("err.txt"));
  EXPECT_THAT(read_file(path("err.txt")), HasSubstr("the same command goes on"));
  EXPECT_TRUE(fs::exists(folder_of("a") + "/train/checkpoints/last.safetensors"));
}

TEST_F(StudyVerb, PlanPrintsTheRunsAndWritesNothing) {
  write_study("  a: {}\n  b: {}\n", "seeds: [0, 3]\n");
  const ProgramResult result = run({"--plan"});
  EXPECT_EQ(result.output, "a/base/seed_0\nb/base/seed_0\na/base/seed_3\nb/base/seed_3\n");
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(StudyVerb, OnlySomeVariantsCanBeDone) {
  write_study("  a: {}\n  b: {}\n  c: {}\n", "seeds: [0, 3]\n");
  EXPECT_EQ(run({"--plan", "--only", "c", "--only", "a"}).output,
            "a/base/seed_0\nc/base/seed_0\na/base/seed_3\nc/base/seed_3\n");
  write_study("  first: {}\n  second: {}\n");
  expect_error(run({"--only", "frist"}),
               {"--only: expected a variant of study", "got frist", "did you mean first?"});
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(StudyVerb, WrongStudiesAreOneErrorAndWriteNothing) {
  write_study("  a: {model.params.max_dept: 3}\n");
  expect_error(run(), {"study.yaml:7: variants.a.model.params.max_dept: unknown key",
                       "did you mean max_depth?"});
  write_study("  a: {}\n  a: {}\n");
  expect_error(run(), {"study.yaml:8: variants.a: expected each key once"});
  write_study("  a: {}\n", "seeds: [1, 1]\n");
  expect_error(run(), {"seeds: expected each seed once, got 1 more than once"});
  write_study("  a: {}\n", "reference: aa\n");
  expect_error(run(), {"reference", "did you mean a?"});
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(StudyVerb, AFolderOfAnotherStudyIsRefused) {
  tree_.folder().write("out/study_settings.json",
                       R"({"format_version": 1, "study": "other", "judge": {}})");
  tree_.folder().write("out/runs/wide/base/seed_0/run.json", "{}");
  write_study("  a: {}\n");
  expect_error(run(), {path("out"), "those of another one, with the variants wide", "--out"});
}

TEST_F(StudyVerb, HelpShowsAnExample) {
  const auto help = testing::run_program(testing::program(), {"study", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.output, AllOf(HasSubstr("Example: dualdepth study configs/studies/heads.yaml"),
                                 HasSubstr("--jobs")));
}

}  // namespace
}  // namespace dualdepth
