#include "dualdepth/base/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "dualdepth/base/error.h"
#include "dualdepth/base/stop_signal.h"

namespace dualdepth {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{50};  // for signals and the time limit
constexpr milliseconds kGrace{2000};    // between SIGTERM and SIGKILL

[[noreturn]] void fail(const std::string& command, int code) {
  throw Error({.subject = command,
               .expected = "a command that can be started",
               .got = std::strerror(code),
               .fix = ""});
}

// In the child, where only calls that are safe in a signal handler may follow fork().
[[noreturn]] void become_shell(char* const* words, int output, pid_t parent) {
  ::setpgid(0, 0);
  struct sigaction usual = {};
  usual.sa_handler = SIG_DFL;
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) ::sigaction(signal, &usual, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing >= 0 && ::dup2(nothing, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
      ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent) {
    ::execv("/bin/sh", words);
  }
  ::_exit(127);
}

// A shell that runs in a process group of its own, and what it prints.
class Shell {
 public:
  explicit Shell(const std::string& command) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(command, errno);
    std::string text = command;
    std::string shell = "sh";
    std::string flag = "-c";
    const std::array<char*, 4> words{shell.data(), flag.data(), text.data(), nullptr};
    const pid_t parent = ::getpid();
    process_ = ::fork();
    const int code = errno;
    if (process_ == 0) become_shell(words.data(), ends[1], parent);
    ::close(ends[1]);
    output_ = ends[0];
    if (process_ < 0) {
      ::close(output_);
      fail(command, code);
    }
    ::setpgid(process_, process_);  // whoever comes first, child or parent
    ::fcntl(output_, F_SETFL, O_NONBLOCK);
  }

  ~Shell() {
    send(SIGKILL);  // also what it has left behind
    if (!ended_) ::waitpid(process_, &status_, 0);
    ::close(output_);
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  void send(int signal) const { ::kill(-process_, signal); }

  // Waits at most kLookEvery for output or the end.
  void look(std::string& output) {
    struct pollfd wait = {.fd = output_, .events = POLLIN, .revents = 0};
    ::poll(&wait, 1, is_closed_ ? 0 : static_cast<int>(kLookEvery.count()));
    if (is_closed_) ::usleep(1000);
    read(output);
    if (!ended_ && ::waitpid(process_, &status_, WNOHANG) == process_) {
      ended_ = true;
      read(output);  // what was printed in between
    }
  }

  bool has_ended() const { return ended_; }
  int status() const { return status_; }

 private:
  void read(std::string& output) {
    std::array<char, 4096> block{};
    ssize_t count = 0;
    while ((count = ::read(output_, block.data(), block.size())) > 0) {
      output.append(block.data(), static_cast<size_t>(count));
      if (output.size() > kMaxCommandOutput) return;
    }
    if (count == 0) is_closed_ = true;
  }

  pid_t process_ = 0;
  int output_ = -1;
  int status_ = 0;
  bool ended_ = false;
  bool is_closed_ = false;
};

void end(Shell& shell, std::string& output) {
  shell.send(SIGTERM);
  const auto last = Clock::now() + kGrace;
  while (!shell.has_ended() && Clock::now() < last && output.size() <= kMaxCommandOutput) {
    shell.look(output);
  }
}

}  // namespace

CommandResult run_command(const std::string& command, milliseconds time_limit) {
  const StopSignal stop;
  const auto last = Clock::now() + time_limit;
  CommandResult result;
  Shell shell(command);
  const auto end_as = [&](CommandEnd reason) {
    end(shell, result.output);
    result.end = reason;
    return result;
  };
  while (!shell.has_ended()) {
    shell.look(result.output);
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
