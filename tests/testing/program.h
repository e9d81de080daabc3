#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

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
    posix_spawn_file_actions_t redirect;
    posix_spawn_file_actions_init(&redirect);
    constexpr int kAppend = O_WRONLY | O_CREAT | O_APPEND;
    posix_spawn_file_actions_addopen(&redirect, STDOUT_FILENO, output.c_str(), kAppend, 0600);
    posix_spawn_file_actions_addopen(&redirect, STDERR_FILENO, errors.c_str(), kAppend, 0600);
    arguments.insert(arguments.begin(), program);
    std::vector<char*> words;
    words.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    const int failed =
        ::posix_spawn(&process_, program.c_str(), &redirect, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&redirect);
    if (failed != 0) throw std::runtime_error("cannot run " + program);
  }

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
