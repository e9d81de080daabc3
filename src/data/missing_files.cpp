#include "missing_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "dualdepth/base/log.h"

namespace dualdepth {

void MissingFiles::add(const std::string& place, const std::string& what,
                       const std::string& expected) {
  if (lines_.empty()) {
    first_ = {
        .subject = place, .expected = what + " " + expected, .got = "no such file", .fix = ""};
  }
  lines_.push_back(place + ": " + what + " " + expected);
}

void MissingFiles::report(MissingPolicy policy, size_t listed) const {
  if (lines_.empty()) return;
  if (policy == MissingPolicy::kError) {
    ErrorParts parts = first_;
    parts.fix = fmt::format(
        "{} of {} entries lack a file; mend the data, or leave them out with data.missing=skip",
        lines_.size(), listed);
    throw Error(parts);
  }
  constexpr size_t kMostLines = 20;
  spdlog::warn("{} of {} entries lack a file and are left out (data.missing: skip)", lines_.size(),
               listed);
  for (size_t i = 0; i < std::min(lines_.size(), kMostLines); ++i) spdlog::warn("  {}", lines_[i]);
  if (lines_.size() > kMostLines) spdlog::warn("  and {} more", lines_.size() - kMostLines);
}

void require_samples(size_t found, size_t listed, const std::string& subject) {
  if (found > 0) return;
  throw Error({.subject = subject,
               .expected = "at least one sample",
               .got = fmt::format("{} entries, none of them with its files", listed),
               .fix = "check data.root and where depth lies"});
}

void require_size_of_picture(const std::filesystem::path& file, cv::Size size,
                             const std::filesystem::path& picture, cv::Size picture_size) {
  if (size == picture_size) return;
  throw Error({.subject = file.string(),
               .expected = fmt::format("{}x{} pixels as its picture {}", picture_size.width,
                                       picture_size.height, picture.string()),
               .got = fmt::format("{}x{}", size.width, size.height),
               .fix = "it is never resized; use the one made for this picture"});
}

}  // namespace dualdepth
