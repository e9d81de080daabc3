#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

namespace dualdepth::testing {

// What a script printed (standard output and error together) and its exit code.
struct ScriptResult {
  int exit_code = 0;
  std::string output;
};

// Runs the file tests/SCRIPT with the interop Python (the CMake option DUALDEPTH_INTEROP_PYTHON).
// `arguments` are quoted for the shell by this function. A test that calls it starts with
// DUALDEPTH_NEEDS_INTEROP.
template <typename... Arguments>
ScriptResult run_interop_script(const std::filesystem::path& script,
                                const Arguments&... arguments) {
  std::string command;
  const auto add_quoted = [&](const std::filesystem::path& word) {
    command += '\'';
    command += word.native();
    command += "' ";
  };
  add_quoted(DUALDEPTH_INTEROP_PYTHON);
  add_quoted(std::filesystem::path(DUALDEPTH_SOURCE_DIR) / "tests" / script);
  (add_quoted(arguments), ...);
  command += "2>&1";
  ScriptResult result;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {.exit_code = -1, .output = "cannot start " + command};
  std::array<char, 4096> buffer{};
  for (std::size_t got; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    result.output.append(buffer.data(), got);
  }
  result.exit_code = ::pclose(pipe);
  return result;
}

}  // namespace dualdepth::testing

// Skips the test where the interop Python is absent. First line of a test or of SetUp().
#define DUALDEPTH_NEEDS_INTEROP()                                                   \
  do {                                                                              \
    if (std::string(DUALDEPTH_INTEROP_PYTHON).empty()) {                            \
      GTEST_SKIP() << "needs Python with torch; tools/setup --interop installs it"; \
    }                                                                               \
  } while (false)
