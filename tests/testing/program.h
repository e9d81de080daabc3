#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "testing/temp_folder.h"

namespace dualdepth::testing {

struct ProgramResult {
  int exit_code = -1;  // -1: ended by a signal
  std::string output;  // standard output
  std::string errors;  // standard error
};

// Runs a program with these arguments, each passed as it stands, and waits for its end. The tests
// in tests/cli know the built dualdepth as DUALDEPTH_PROGRAM.
inline ProgramResult run_program(const std::string& program, std::vector<std::string> arguments) {
  const TempFolder folder;
  posix_spawn_file_actions_t redirect;
  posix_spawn_file_actions_init(&redirect);
  constexpr int kNewFile = O_WRONLY | O_CREAT;
  posix_spawn_file_actions_addopen(&redirect, STDOUT_FILENO, (folder / "output").c_str(), kNewFile,
                                   0600);
  posix_spawn_file_actions_addopen(&redirect, STDERR_FILENO, (folder / "errors").c_str(), kNewFile,
                                   0600);
  arguments.insert(arguments.begin(), program);
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  pid_t child = 0;
  const int failed =
      ::posix_spawn(&child, program.c_str(), &redirect, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&redirect);
  int status = 0;
  if (failed != 0 || ::waitpid(child, &status, 0) != child) {
    throw std::runtime_error("cannot run " + program);
  }
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .output = read_file(folder / "output"),
          .errors = read_file(folder / "errors")};
}

}  // namespace dualdepth::testing
