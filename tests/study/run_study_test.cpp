#include "dualdepth/study/run_study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <set>
#include <thread>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/study/study_folder.h"
#include "study/study_fixture.h"
#include "testing/wait_until.h"

namespace dualdepth::study {
namespace {

namespace fs = std::filesystem;
using ::dualdepth::testing::wait_until;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::StudyFile;
using ::testing::ThrowsMessage;

// A shell script stands for the program that does a run: it is called as
//   SCRIPT study --run FOLDER --threads N
// notes its folder in calls.txt, does what `body` says, and writes the results of all stages.
class StudyOfScripts : public ::testing::Test {
 protected:
  void make(const std::string& variants, const std::string& body) {
    file_.emplace("base: base.yaml\nvariants: {" + variants + "}\n");
    out_ = file_->folder() / "out";
    const auto script = file_->folder().write(
        "program.sh", "#!/bin/sh\nfolder=$3\necho \"$folder $5\" >> " + path("calls.txt") + "\n" +
                          body +
                          "\nfor stage in train export int8_per_channel int8_per_tensor judge; do\n"
                          "  echo '{\"seconds\": 1}' > $folder/stages/$stage.json\ndone\n");
    fs::permissions(script, fs::perms::owner_all);
    const auto study = file_->load();
    runs_ = plan_runs(study, out_);
    judge_ = study.judge;
    bind_folder(out_, study, runs_);
  }

  StudyProgress run(int jobs = 1) {
    return run_study(out_, runs_, judge_, {.program = path("program.sh"), .jobs = jobs});
  }

  std::string path(const std::string& name) const { return (file_->folder() / name).string(); }

  // The variants whose runs were started, with the number of threads.
  std::vector<std::string> calls() const {
    std::vector<std::string> variants;
    std::ifstream lines(path("calls.txt"));
    for (std::string folder, threads; lines >> folder >> threads;) {
      variants.push_back(fs::path(folder).parent_path().parent_path().filename().string() + " " +
                         threads);
    }
    return variants;
  }

  std::optional<StudyFile> file_;
  fs::path out_;
  std::vector<PlannedRun> runs_;
  JudgeOptions judge_;
};

TEST_F(StudyOfScripts, DoesEachRunOnceAndNeverAgain) {
  make("a: {}, b: {}", "");
  EXPECT_THAT(run().failed, IsEmpty());
  EXPECT_THAT(calls(), ElementsAre("a 0", "b 0"));
  EXPECT_THAT(run().failed, IsEmpty());
  EXPECT_THAT(calls(), ElementsAre("a 0", "b 0"));
}

TEST_F(StudyOfScripts, OneThatFailsDoesNotStopTheOthersAndIsTriedAgain) {
  make("a: {}, bad: {}, killed: {}, c: {}",
       "case $folder in\n*/bad/*) echo working; echo 'error: no luck' >&2; exit 2;;\n"
       "*/killed/*) kill -KILL $$;;\nesac");
  const auto progress = run();
  ASSERT_EQ(progress.failed.size(), 2U);
  EXPECT_EQ(progress.failed[0].id, "bad/base/seed_0");
  EXPECT_EQ(progress.failed[0].error, "no luck");
  EXPECT_EQ(progress.failed[1].error, "ended by signal 9");
  EXPECT_EQ(last_error(runs_[1].folder), "no luck");
  EXPECT_THAT(calls(), ElementsAre("a 0", "bad 0", "killed 0", "c 0"));
  run();
  EXPECT_THAT(calls(), ElementsAre("a 0", "bad 0", "killed 0", "c 0", "bad 0", "killed 0"));
}

TEST_F(StudyOfScripts, AMessageOfSeveralLinesIsKeptWhole) {
  make("a: {}", "printf 'error: first\\nerror: a.yaml:3: wrong\\n  and more\\n'; exit 2");
  EXPECT_EQ(run().failed.at(0).error, "a.yaml:3: wrong\n  and more");
}

// Each waits until the other one has begun.
TEST_F(StudyOfScripts, SeveralAreDoneAtATime) {
  make("a: {}, b: {}", "touch $folder/begun\nwhile [ $(ls " +
                           std::string("$folder/../../../*/base/seed_0/begun") +
                           " | wc -l) -lt 2 ]; do sleep 0.05; done");
  EXPECT_THAT(run(2).failed, IsEmpty());
}

TEST_F(StudyOfScripts, AnInterruptEndsTheRunsAtWork) {
  make("a: {}, b: {}",
       "trap 'echo ended > $folder/ended; exit 130' TERM\ntouch $folder/begun\n"
       "while :; do sleep 0.05; done");
  std::thread interrupt([&] {
    EXPECT_TRUE(wait_until([&] { return fs::exists(runs_[0].folder / "begun"); }));
    ::kill(::getpid(), SIGINT);
  });
  const auto progress = run();
  interrupt.join();
  EXPECT_TRUE(progress.was_interrupted);
  EXPECT_THAT(progress.failed, IsEmpty());
  EXPECT_TRUE(fs::exists(runs_[0].folder / "ended"));
  EXPECT_FALSE(fs::exists(runs_[1].folder / "begun"));
}

TEST_F(StudyOfScripts, AFullDiskEndsTheStudyWithOneError) {
  make("a: {}, b: {}",
       "case $folder in */a/*) echo 'error: x.safetensors: expected to write this file, got No "
       "space "
       "left on device' >&2; exit 2;; esac");
  EXPECT_THAT([&] { run(); }, ThrowsMessage<Error>(AllOf(
                                  HasSubstr(out_.string() + ": expected room for the results"),
                                  HasSubstr("a/base/seed_0: x.safetensors"),
                                  HasSubstr("goes on where it stopped"))));
  EXPECT_THAT(calls(), ElementsAre("a 0"));
}

}  // namespace
}  // namespace dualdepth::study
