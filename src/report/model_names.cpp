#include "dualdepth/report/model_names.h"

#include <algorithm>
#include <filesystem>
#include <set>

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

// Its parts without "." and an empty last one, which a folder's trailing slash leaves.
std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  for (const fs::path& part : fs::path(path).lexically_normal()) {
    if (!part.empty() && part != ".") parts.push_back(part.string());
  }
  if (parts.empty()) parts.push_back(path);
  return parts;
}

std::string joined(const std::vector<std::string>& parts, size_t count, bool is_elided) {
  const size_t begin = parts.size() - std::min(count, parts.size());
  std::string name = parts[begin];
  if (is_elided && parts.size() - begin > 2) return name + "/.../" + parts.back();
  for (size_t i = begin + 1; i < parts.size(); ++i) name += '/' + parts[i];
  return name;
}

// Whether the names tell apart what the paths tell apart.
bool are_distinct(const std::vector<std::string>& names, const std::vector<std::string>& paths) {
  return std::set(names.begin(), names.end()).size() == std::set(paths.begin(), paths.end()).size();
}

}  // namespace

std::vector<std::string> short_names(const std::vector<std::string>& paths) {
  std::vector<std::vector<std::string>> parts;
  size_t most = 1;
  for (const std::string& path : paths) {
    parts.push_back(parts_of(path));
    most = std::max(most, parts.back().size());
  }
  std::vector<std::string> names;
  names.reserve(parts.size());
  for (const auto& one : parts) names.push_back(fs::path(one.back()).stem().string());
  if (are_distinct(names, paths)) return names;
  for (size_t count = 1; count <= most; ++count) {
    for (const bool is_elided : {true, false}) {
      for (size_t i = 0; i < paths.size(); ++i) names[i] = joined(parts[i], count, is_elided);
      if (are_distinct(names, paths)) return names;
    }
  }
  return paths;
}

}  // namespace dualdepth
