#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "testing/build_paths.h"
#include "testing/temp_folder.h"

namespace dualdepth::testing {

// A program that runs with these arguments, each passed as it stands. What it prints is appended to
// the two files, which may be one. The built dualdepth is program() of build_paths.h.
class Program {
 public:
  Program(const std::string& program, std::vector<std::string> arguments,
          const std::filesystem::path& output, const std::filesystem::path& errors) {
    arguments.insert(arguments.begin(), program);
    std::vector<char*> words;
    words.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    int failure[2];  // closed by exec, or holds its error number
    if (::pipe2(failure, O_CLOEXEC) != 0) throw std::runtime_error("cannot open a pipe");
    const pid_t parent = ::getpid();
    process_ = ::fork();
    if (process_ == 0) become(words.data(), parent, output.c_str(), errors.c_str(), failure[1]);
    ::close(failure[1]);
    int code = 0;
    const bool failed = process_ < 0 || ::read(failure[0], &code, sizeof code) > 0;
    ::close(failure[0]);
    if (!failed) return;
    if (process_ > 0) wait();
    throw std::runtime_error("cannot run " + program + ": " + std::strerror(code));
  }

  // Kills a program that still runs: a test that fails leaves none behind.
  ~Program() {
    if (process_ <= 0 || has_ended()) return;
    send(SIGKILL);
    wait();
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void send(int signal) const { ::kill(process_, signal); }

  bool has_ended() {
    if (!ended_) ended_ = ::waitpid(process_, &status_, WNOHANG) == process_;
    return ended_;
  }

  // The exit code, or minus the signal that ended it.
  int wait() {
    if (!ended_) ::waitpid(process_, &status_, 0);
    ended_ = true;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
  }

 private:
  // In the child, where only calls that are safe in a signal handler may follow fork(). The program
  // is killed when the test that started it dies, by the limit of ctest for instance.
  [[noreturn]] static void become(char* const* words, pid_t parent, const char* output,
                                  const char* errors, int failure) {
    constexpr int kAppend = O_WRONLY | O_CREAT | O_APPEND;
    const int out = ::open(output, kAppend, 0600);
    const int err = ::open(errors, kAppend, 0600);
    const bool redirected = ::dup2(out, STDOUT_FILENO) >= 0 && ::dup2(err, STDERR_FILENO) >= 0;
    if (redirected && ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent) {
      ::close(out);
      ::close(err);
      ::execv(words[0], words);
    }
    const int code = errno;
    if (::write(failure, &code, sizeof code) < 0) ::_exit(126);
    ::_exit(127);
  }

  pid_t process_ = 0;
  int status_ = 0;
  bool ended_ = false;
};

struct ProgramResult {
  int exit_code = 0;   // minus the signal that ended it
  std::string output;  // standard output
  std::string errors;  // standard error
};

// Runs a program and waits for its end.
inline ProgramResult run_program(const std::string& program, std::vector<std::string> arguments) {
  const TempFolder folder;
  Program running(program, std::move(arguments), folder / "output", folder / "errors");
  const int exit_code = running.wait();
  return {exit_code, read_file(folder / "output"), read_file(folder / "errors")};
}

}  // namespace dualdepth::testing
