#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace dualdepth::testing {

// Returns the value that CMake wrote for `name` to the file `paths.txt` beside the test program, a
// line `name=value` each: shared, source, interop_python, program, chromium, screenshots. Paths are
// read at run time because a path in a compiler option would make every checkout compile anew.
inline std::string build_path(std::string_view name) {
  const auto file = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "paths.txt";
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == '=') {
      return line.substr(name.size() + 1);
    }
  }
  throw std::runtime_error(file.string() + ": expected a line " + std::string(name) + "=...");
}

// The program `dualdepth` of this build.
inline std::string program() { return build_path("program"); }

// The Python with torch and ONNX Runtime that tools/setup --interop installs; empty without it.
inline std::string interop_python() { return build_path("interop_python"); }

// The root of the checkout.
inline std::filesystem::path source_dir() { return build_path("source"); }

}  // namespace dualdepth::testing
