#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "dualdepth/base/atomic_file.h"

namespace dualdepth::testing {

// Every file below a folder, by its path there, with its bytes.
inline std::map<std::string, std::string> folder_contents(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files[entry.path().lexically_relative(folder).string()] = read_file(entry.path());
  }
  return files;
}

}  // namespace dualdepth::testing
