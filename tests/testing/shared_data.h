#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "testing/build_paths.h"

namespace dualdepth::testing {

// A file or folder of the real frames and weights that lie beside the checkout (the CMake option
// DUALDEPTH_SHARED_DIR).
inline std::filesystem::path shared_path(const std::filesystem::path& relative) {
  return std::filesystem::path(build_path("shared")) / relative;
}

}  // namespace dualdepth::testing

// Skips the test, saying what is absent, unless shared_path(relative) exists. First line of a test
// or of SetUp().
#define DUALDEPTH_NEEDS_SHARED(relative)                                                    \
  do {                                                                                      \
    if (!std::filesystem::exists(::dualdepth::testing::shared_path(relative))) {            \
      GTEST_SKIP() << ::dualdepth::testing::shared_path(relative).string() << " is absent"; \
    }                                                                                       \
  } while (false)
