#include "dualdepth/base/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "testing/temp_folder.h"
#include "testing/wait_until.h"

namespace dualdepth {
namespace {

using std::chrono::milliseconds;
using testing::wait_until;

// Waits for its end and returns what it printed.
std::string output_of(ChildProcess& child) {
  std::string output;
  EXPECT_TRUE(wait_until([&] {
    child.look(milliseconds(10), output);
    return child.has_ended();
  }));
  return output;
}

TEST(ChildProcess, TakesItsWordsAsTheyStand) {
  ChildProcess child({"/usr/bin/printf", "%s|", "a b", "$HOME", "'"}, ErrorStream::kInherited);
  EXPECT_EQ(output_of(child), "a b|$HOME|'|");
  EXPECT_EQ(WEXITSTATUS(child.status()), 0);
}

TEST(ChildProcess, CanHaveItsErrorsBesideItsOutput) {
  ChildProcess child({"/bin/sh", "-c", "echo out; echo err >&2; exit 3"}, ErrorStream::kWithOutput);
  EXPECT_EQ(output_of(child), "out\nerr\n");
  EXPECT_EQ(WEXITSTATUS(child.status()), 3);
}

TEST(ChildProcess, OfAProgramThatIsNotThereEndsWith127) {
  ChildProcess child({"/nowhere/program"}, ErrorStream::kInherited);
  output_of(child);
  EXPECT_EQ(WEXITSTATUS(child.status()), 127);
}

TEST(ChildProcess, IsKilledWithAllItStartedAtTheEndOfItsLife) {
  const testing::TempFolder folder;
  pid_t grandchild = 0;
  {
    ChildProcess child(
        {"/bin/sh", "-c", "sleep 100 & echo $! > " + (folder / "pid").string() + "; wait"},
        ErrorStream::kInherited);
    EXPECT_TRUE(
        wait_until([&] { return static_cast<bool>(std::ifstream(folder / "pid") >> grandchild); }));
  }
  EXPECT_TRUE(wait_until([&] { return ::kill(grandchild, 0) != 0; }, std::chrono::seconds(10)));
}

TEST(ChildProcess, IsKilledWithTheProcessThatStartedIt) {
  const testing::TempFolder folder;
  const pid_t parent = ::fork();
  if (parent == 0) {
    const ChildProcess child(
        {"/bin/sh", "-c",
         "echo $$ > " + (folder / "pid").string() + "; while :; do sleep 0.1; done"},
        ErrorStream::kInherited);
    ::pause();
  }
  pid_t number = 0;
  EXPECT_TRUE(
      wait_until([&] { return static_cast<bool>(std::ifstream(folder / "pid") >> number); }));
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  EXPECT_TRUE(wait_until([&] { return ::kill(number, 0) != 0; }, std::chrono::seconds(10)));
}

}  // namespace
}  // namespace dualdepth
