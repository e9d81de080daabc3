#include "dualdepth/base/staged_folder.h"

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStage = ".unfinished";

void refuse_strangers(const fs::path& folder, const std::string& mark, const std::string& kind) {
  if (fs::exists(folder / mark)) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename() == kStage) continue;
    throw Error({.subject = folder.string(),
                 .expected = "a new or empty folder, or one with an earlier " + kind,
                 .got = "other files in it, such as " + entry.path().filename().string(),
                 .fix = "choose another folder"});
  }
}

}  // namespace

StagedFolder::StagedFolder(fs::path folder, std::string mark, const std::string& kind)
    : folder_(std::move(folder)), stage_(folder_ / kStage), mark_(std::move(mark)) {
  make_writable_folder(folder_);
  refuse_strangers(folder_, mark_, kind);
  fs::remove_all(stage_);  // of a run that was killed
  make_writable_folder(stage_);
}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  fs::remove_all(stage_, ignored);
}

void StagedFolder::publish(std::string_view contents) {
  fs::remove(folder_ / mark_);
  for (const fs::directory_entry& entry : fs::directory_iterator(stage_)) {
    const fs::path target = folder_ / entry.path().filename();
    fs::remove_all(target);
    fs::rename(entry.path(), target);
  }
  write_file_atomically(folder_ / mark_, contents);
}

}  // namespace dualdepth
