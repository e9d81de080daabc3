#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace dualdepth {

// How a command ended.
enum class CommandEnd {
  kExited,    // by itself: see exit_code
  kSignal,    // by a signal that it was sent from elsewhere
  kTimedOut,  // it ran too long and was ended
  kStopped,   // SIGINT or SIGTERM came to this process, which ended it
  kTooMuch    // it printed more than kMaxCommandOutput bytes and was ended
};

struct CommandResult {
  CommandEnd end = CommandEnd::kExited;
  int exit_code = 0;   // kExited
  int signal = 0;      // kSignal
  std::string output;  // standard output
};

inline constexpr size_t kMaxCommandOutput = 1 << 20;

// Runs a command line in /bin/sh and waits for its end. Standard input is empty, standard error is
// this process's. The command and all that it starts form a process group of their own, which is
// sent SIGTERM, and SIGKILL 2 s later, when the time is over or when SIGINT or SIGTERM come to this
// process; /bin/sh is killed with it. Processes that it leaves behind are ended as well. Holds a
// StopSignal. Throws Error when it cannot be started.
CommandResult run_command(const std::string& command, std::chrono::milliseconds time_limit);

// Text as one word of /bin/sh.
std::string shell_quoted(const std::string& text);

}  // namespace dualdepth
