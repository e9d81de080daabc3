#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "testing/program.h"

namespace dualdepth::testing {

// Runs the file tests/SCRIPT with the interop Python (build_path("interop_python")). A
// test that calls it starts with DUALDEPTH_NEEDS_INTEROP.
template <typename... Arguments>
ProgramResult run_interop_script(const std::filesystem::path& script,
                                 const Arguments&... arguments) {
  const auto file = source_dir() / "tests" / script;
  return run_program(interop_python(),
                     {file.string(), std::filesystem::path(arguments).string()...});
}

}  // namespace dualdepth::testing

// Skips the test where the interop Python is absent. First line of a test or of SetUp().
#define DUALDEPTH_NEEDS_INTEROP()                                                   \
  do {                                                                              \
    if (::dualdepth::testing::interop_python().empty()) {                           \
      GTEST_SKIP() << "needs Python with torch; tools/setup --interop installs it"; \
    }                                                                               \
  } while (false)
