#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "testing/program.h"

namespace dualdepth::testing {

// Runs the file tests/SCRIPT with the interop Python (the CMake option DUALDEPTH_INTEROP_PYTHON). A
// test that calls it starts with DUALDEPTH_NEEDS_INTEROP.
template <typename... Arguments>
ProgramResult run_interop_script(const std::filesystem::path& script,
                                 const Arguments&... arguments) {
  const auto file = std::filesystem::path(DUALDEPTH_SOURCE_DIR) / "tests" / script;
  return run_program(DUALDEPTH_INTEROP_PYTHON,
                     {file.string(), std::filesystem::path(arguments).string()...});
}

}  // namespace dualdepth::testing

// Skips the test where the interop Python is absent. First line of a test or of SetUp().
#define DUALDEPTH_NEEDS_INTEROP()                                                   \
  do {                                                                              \
    if (std::string(DUALDEPTH_INTEROP_PYTHON).empty()) {                            \
      GTEST_SKIP() << "needs Python with torch; tools/setup --interop installs it"; \
    }                                                                               \
  } while (false)
