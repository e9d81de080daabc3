#include "dualdepth/base/command.h"

#include <signal.h>
#include <sys/wait.h>

#include "dualdepth/base/child_process.h"
#include "dualdepth/base/stop_signal.h"

namespace dualdepth {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{50};  // for signals and the time limit
constexpr milliseconds kGrace{2000};    // between SIGTERM and SIGKILL

void end(ChildProcess& shell, std::string& output) {
  shell.send(SIGTERM);
  const auto last = Clock::now() + kGrace;
  while (!shell.has_ended() && Clock::now() < last && output.size() <= kMaxCommandOutput) {
    shell.look(kLookEvery, output);
  }
}

}  // namespace

CommandResult run_command(const std::string& command, milliseconds time_limit) {
  const StopSignal stop;
  const auto last = Clock::now() + time_limit;
  CommandResult result;
  ChildProcess shell({"/bin/sh", "-c", command}, ErrorStream::kInherited);
  const auto end_as = [&](CommandEnd reason) {
    end(shell, result.output);
    result.end = reason;
    return result;
  };
  while (!shell.has_ended()) {
    shell.look(kLookEvery, result.output);
    if (stop.requested()) return end_as(CommandEnd::kStopped);
    if (result.output.size() > kMaxCommandOutput) return end_as(CommandEnd::kTooMuch);
    if (!shell.has_ended() && Clock::now() > last) return end_as(CommandEnd::kTimedOut);
  }
  if (WIFEXITED(shell.status())) {
    result.exit_code = WEXITSTATUS(shell.status());
  } else {
    result.end = CommandEnd::kSignal;
    result.signal = WTERMSIG(shell.status());
  }
  return result;
}

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace dualdepth
