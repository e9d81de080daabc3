#include "dualdepth/base/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "testing/temp_folder.h"
#include "testing/wait_until.h"

namespace dualdepth {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::TempFolder;
using testing::wait_until;

CommandResult run(const std::string& command, milliseconds limit = seconds(60)) {
  return run_command(command, limit);
}

// A process that `command` starts in the background; it writes its number to the file.
pid_t number_in(const std::filesystem::path& file) {
  pid_t number = 0;
  EXPECT_TRUE(wait_until([&] { return static_cast<bool>(std::ifstream(file) >> number); }));
  return number;
}

bool is_gone(pid_t process) { return ::kill(process, 0) != 0; }

TEST(RunCommand, ReturnsWhatItPrintsAndItsExitCode) {
  const auto result = run("echo 0.25; echo no >&2; exit 3");
  EXPECT_EQ(result.end, CommandEnd::kExited);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.output, "0.25\n");
}

TEST(RunCommand, StandardInputIsEmpty) { EXPECT_EQ(run("cat; echo end").output, "end\n"); }

TEST(RunCommand, NamesTheSignalThatEndedIt) {
  const auto result = run("kill -SEGV $$");
  EXPECT_EQ(result.end, CommandEnd::kSignal);
  EXPECT_EQ(result.signal, SIGSEGV);
}

TEST(RunCommand, OneThatClosesItsOutputIsStillWaitedFor) {
  EXPECT_EQ(run("exec >&-; sleep 0.3; exit 4").exit_code, 4);
}

TEST(RunCommand, EndsAllItStartedWhenTheTimeIsOver) {
  const TempFolder folder;
  const auto result =
      run("sh -c 'echo $$ > " + (folder / "pid").string() + "; sleep 100' & sleep 100",
          milliseconds(500));
  EXPECT_EQ(result.end, CommandEnd::kTimedOut);
  const pid_t child = number_in(folder / "pid");
  EXPECT_TRUE(wait_until([&] { return is_gone(child); }, seconds(10)));
}

TEST(RunCommand, KillsOneThatIgnoresTheSignal) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(run("trap '' TERM; while :; do sleep 1; done", milliseconds(300)).end,
            CommandEnd::kTimedOut);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(30));
}

TEST(RunCommand, EndsItWhenThisProcessIsInterrupted) {
  const TempFolder folder;
  std::thread interrupt([&] {
    number_in(folder / "pid");
    ::kill(::getpid(), SIGINT);
  });
  const auto result = run("echo $$ > " + (folder / "pid").string() + "; sleep 100");
  interrupt.join();
  EXPECT_EQ(result.end, CommandEnd::kStopped);
  const pid_t child = number_in(folder / "pid");
  EXPECT_TRUE(is_gone(child));
}

TEST(RunCommand, EndlessOutputIsCutOff) { EXPECT_EQ(run("yes").end, CommandEnd::kTooMuch); }

TEST(ShellQuoted, IsOneWordOfTheShell) {
  const std::string name = "a b'c\"d$HOME`\\";
  EXPECT_EQ(run("printf %s " + shell_quoted(name)).output, name);
}

}  // namespace
}  // namespace dualdepth
