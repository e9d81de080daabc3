#include "dualdepth/data/synthetic_folder.h"

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"

namespace dualdepth::synthetic {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMark = "synthetic.json";
constexpr std::string_view kStage = ".unfinished";

void refuse_strangers(const fs::path& folder) {
  if (fs::exists(folder / kMark)) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename() == kStage) continue;
    throw Error({.subject = folder.string(),
                 .expected = "a new or empty folder, or one with an earlier synthetic set",
                 .got = "other files in it, such as " + entry.path().filename().string(),
                 .fix = "choose another folder"});
  }
}

}  // namespace

SetFolder::SetFolder(fs::path folder) : folder_(std::move(folder)), stage_(folder_ / kStage) {
  make_writable_folder(folder_);
  refuse_strangers(folder_);
  fs::remove_all(stage_);  // of a run that was killed
  make_writable_folder(stage_);
}

SetFolder::~SetFolder() {
  std::error_code ignored;
  fs::remove_all(stage_, ignored);
}

void SetFolder::publish(std::string_view description) {
  fs::remove(folder_ / kMark);
  for (const fs::directory_entry& entry : fs::directory_iterator(stage_)) {
    const fs::path target = folder_ / entry.path().filename();
    fs::remove_all(target);
    fs::rename(entry.path(), target);
  }
  write_file_atomically(folder_ / kMark, description);
}

}  // namespace dualdepth::synthetic
