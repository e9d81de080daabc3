#include "dualdepth/base/child_process.h"

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

namespace dualdepth {
namespace {

constexpr size_t kMostInOneLook = size_t{4} << 20;

[[noreturn]] void fail(const std::string& program, int code) {
  throw Error({.subject = program,
               .expected = "a command that can be started",
               .got = std::strerror(code),
               .fix = ""});
}

// In the child, where only calls that are safe in a signal handler may follow fork().
[[noreturn]] void become(char* const* words, int output, ErrorStream errors, pid_t parent) {
  ::setpgid(0, 0);
  struct sigaction usual = {};
  usual.sa_handler = SIG_DFL;
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) ::sigaction(signal, &usual, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  const bool redirected = nothing >= 0 && ::dup2(nothing, STDIN_FILENO) >= 0 &&
                          ::dup2(output, STDOUT_FILENO) >= 0 &&
                          (errors == ErrorStream::kInherited || ::dup2(output, STDERR_FILENO) >= 0);
  if (redirected && ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent) {
    ::execv(words[0], words);
  }
  ::_exit(127);
}

}  // namespace

ChildProcess::ChildProcess(std::vector<std::string> words, ErrorStream errors) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(words.at(0), errno);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  process_ = ::fork();
  const int code = errno;
  if (process_ == 0) become(arguments.data(), ends[1], errors, parent);
  ::close(ends[1]);
  output_ = ends[0];
  if (process_ < 0) {
    ::close(output_);
    fail(words[0], code);
  }
  ::setpgid(process_, process_);  // whoever comes first, child or parent
  ::fcntl(output_, F_SETFL, O_NONBLOCK);
}

ChildProcess::~ChildProcess() {
  send(SIGKILL);
  if (!ended_) ::waitpid(process_, &status_, 0);
  ::close(output_);
}

void ChildProcess::send(int signal) const { ::kill(-process_, signal); }

void ChildProcess::look(std::chrono::milliseconds wait, std::string& output) {
  struct pollfd ready = {.fd = output_, .events = POLLIN, .revents = 0};
  ::poll(&ready, 1, is_closed_ ? 0 : static_cast<int>(wait.count()));
  if (is_closed_) ::usleep(1000);
  read(output);
  if (!ended_ && ::waitpid(process_, &status_, WNOHANG) == process_) {
    ended_ = true;
    read(output);  // what was printed in between
  }
}

void ChildProcess::read(std::string& output) {
  std::array<char, 4096> block{};
  ssize_t count = 0;
  size_t total = 0;
  while ((count = ::read(output_, block.data(), block.size())) > 0) {
    output.append(block.data(), static_cast<size_t>(count));
    total += static_cast<size_t>(count);
    if (total > kMostInOneLook) return;
  }
  if (count == 0) is_closed_ = true;
}

}  // namespace dualdepth
