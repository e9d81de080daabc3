#include "dualdepth/data/kitti_split.h"

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

constexpr size_t kFrameDigits = 10;

std::vector<std::string> split_words(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool is_number(const std::string& word) {
  char* end = nullptr;
  std::strtod(word.c_str(), &end);
  return !word.empty() && *end == '\0';
}

bool is_picture_name(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

// date/drive frame l|r
std::optional<KittiSplitEntry> parse_monodepth2(const std::vector<std::string>& words) {
  if (words.size() != 3 || (words[2] != "l" && words[2] != "r")) return std::nullopt;
  const size_t slash = words[0].find('/');
  const bool two_folders =
      slash != std::string::npos && slash > 0 && words[0].find('/', slash + 1) == std::string::npos;
  const bool digits = words[1].size() <= kFrameDigits &&
                      std::all_of(words[1].begin(), words[1].end(),
                                  [](unsigned char c) { return std::isdigit(c) != 0; });
  if (!two_folders || slash + 1 == words[0].size() || !digits) return std::nullopt;
  KittiSplitEntry entry;
  entry.frame = KittiFrame{.date = words[0].substr(0, slash),
                           .drive = words[0].substr(slash + 1),
                           .camera = words[2] == "l" ? 2 : 3,
                           .frame = std::string(kFrameDigits - words[1].size(), '0') + words[1]};
  return entry;
}

// picture depth|None focal
std::optional<KittiSplitEntry> parse_bts(const std::vector<std::string>& words) {
  if (words.size() != 3 || !is_picture_name(words[0]) || !is_number(words[2])) return std::nullopt;
  KittiSplitEntry entry;
  entry.picture = words[0];
  entry.frame = parse_raw_picture_path(entry.picture);
  entry.without_depth = words[1] == "None";
  if (!entry.without_depth) {
    if (!is_picture_name(words[1])) return std::nullopt;
    entry.depth = words[1];
  }
  return entry;
}

std::optional<KittiSplitEntry> parse_picture(const std::vector<std::string>& words) {
  if (words.size() != 1 || !is_picture_name(words[0])) return std::nullopt;
  KittiSplitEntry entry;
  entry.picture = words[0];
  entry.frame = parse_raw_picture_path(entry.picture);
  return entry;
}

}  // namespace

std::string KittiFrame::id() const {
  return date + "/" + drive + "/image_0" + std::to_string(camera) + "/" + frame;
}

std::optional<KittiFrame> parse_raw_picture_path(const fs::path& path) {
  static const std::regex kPattern(R"((?:.*/)?([^/]+)/([^/]+)/image_0([23])/data/(\d{10})\.\w+)");
  std::smatch match;
  const std::string text = path.lexically_normal().generic_string();
  if (!std::regex_match(text, match, kPattern)) return std::nullopt;
  return KittiFrame{
      .date = match[1], .drive = match[2], .camera = std::stoi(match[3]), .frame = match[4]};
}

std::optional<KittiFrame> parse_selection_name(std::string_view stem) {
  static const std::regex kPattern(
      R"((\d{4}_\d\d_\d\d)(_drive_\d{4}_sync)_image_(\d{10})_image_0([23]))");
  std::cmatch match;
  if (!std::regex_match(stem.data(), stem.data() + stem.size(), match, kPattern)) {
    return std::nullopt;
  }
  return KittiFrame{.date = match[1],
                    .drive = match[1].str() + match[2].str(),
                    .camera = std::stoi(match[4]),
                    .frame = match[3]};
}

std::vector<KittiSplitEntry> read_kitti_split(const fs::path& file) {
  std::istringstream lines(read_file(file));
  std::vector<KittiSplitEntry> entries;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const std::vector<std::string> words = split_words(line);
    if (words.empty()) continue;
    std::optional<KittiSplitEntry> entry = parse_monodepth2(words);
    if (!entry) entry = parse_bts(words);
    if (!entry) entry = parse_picture(words);
    if (!entry) {
      throw Error({.subject = file.string() + ":" + std::to_string(number),
                   .expected = "`date/drive frame l|r`, `picture depth|None focal` or the path of "
                               "a .png or .jpg",
                   .got = "`" + line.substr(0, 160) + "`",
                   .fix = ""});
    }
    entry->line = number;
    entries.push_back(std::move(*entry));
  }
  if (entries.empty()) {
    throw Error({.subject = file.string(),
                 .expected = "a sample on each line",
                 .got = "no line with text",
                 .fix = "name the split file of your data"});
  }
  return entries;
}

}  // namespace dualdepth
