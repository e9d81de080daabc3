#include "dualdepth/data/ncdb_split.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr uintmax_t kMaxBytes = uintmax_t{1} << 28;
constexpr size_t kMostShown = 60;

constexpr const char* kEntryForm =
    R"({"dataset_root": ..., "new_filename": ...} or {"image_path": ...})";

class EntryReader {
 public:
  EntryReader(const fs::path& file, size_t index, const json& entry)
      : subject_(fmt::format("{}: entry {}", file.string(), index)), entry_(entry) {}

  NcdbSplitEntry read(size_t index) const {
    if (entry_.is_object()) {
      if (entry_.contains("image_path")) return with_picture(index);
      if (entry_.contains("dataset_root") && entry_.contains("new_filename")) {
        return with_stem(index);
      }
    }
    fail(kEntryForm, shown(entry_));
  }

 private:
  [[noreturn]] void fail(std::string expected, std::string got) const {
    throw Error(
        {.subject = subject_, .expected = std::move(expected), .got = std::move(got), .fix = ""});
  }

  static std::string shown(const json& value) {
    std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.size() > kMostShown) text = text.substr(0, kMostShown) + "...";
    return text;
  }

  fs::path path_at(const char* key) const {
    const json& value = entry_.at(key);
    if (!value.is_string()) fail(fmt::format("text as {}", key), shown(value));
    const fs::path path = fs::path(value.get<std::string>()).lexically_normal();
    if (path.is_absolute() || (!path.empty() && *path.begin() == "..")) {
      fail(fmt::format("{} inside data.root", key), shown(value));
    }
    return path;
  }

  NcdbSplitEntry with_picture(size_t index) const {
    const fs::path picture = path_at("image_path");
    if (!picture.has_stem()) fail("the name of a picture as image_path", shown(entry_));
    fs::path sequence = picture.parent_path().parent_path();
    if (sequence.filename() == "synced_data") sequence = sequence.parent_path();
    return {index, picture, sequence.generic_string(), picture.stem().string()};
  }

  NcdbSplitEntry with_stem(size_t index) const {
    fs::path sequence = path_at("dataset_root");
    if (!sequence.has_filename()) sequence = sequence.parent_path();  // "a/b/" is "a/b"
    if (sequence == ".") sequence.clear();
    const fs::path stem = path_at("new_filename");
    if (stem.empty() || stem.has_parent_path()) {
      fail("a name without folders as new_filename", shown(entry_));
    }
    return {index, {}, sequence.generic_string(), stem.string()};
  }

  std::string subject_;
  const json& entry_;
};

}  // namespace

std::vector<NcdbSplitEntry> read_ncdb_split(const fs::path& file) {
  const json list = json::parse(read_file(file, kMaxBytes), nullptr, /*allow_exceptions=*/false);
  if (!list.is_array() || list.empty()) {
    throw Error({.subject = file.string(),
                 .expected = fmt::format("a JSON list of {}", kEntryForm),
                 .got = list.is_discarded() ? "no JSON"
                        : list.is_array()
                            ? "an empty list"
                            : std::string("JSON that is no list but ") + list.type_name(),
                 .fix = ""});
  }
  std::vector<NcdbSplitEntry> entries;
  entries.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    entries.push_back(EntryReader(file, i, list[i]).read(i));
  }
  return entries;
}

}  // namespace dualdepth
