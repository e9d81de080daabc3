#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace dualdepth {

// A folder of files that belong together, such as a data set. They appear there whole: they are
// written to a stage inside the folder (which may be a mount point) and moved out of it at the end.
class StagedFolder {
 public:
  // mark: the file that is written last and marks a complete folder, "synthetic.json". kind: what
  // the files are together, for messages: "synthetic set". Makes the folder. Throws Error when it
  // cannot be written to, or holds anything but an earlier one of this kind, which publish() will
  // replace.
  StagedFolder(std::filesystem::path folder, std::string mark, const std::string& kind);

  // Removes the stage if publish() was not reached.
  ~StagedFolder();
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  // Where to write.
  const std::filesystem::path& stage() const { return stage_; }

  // Puts what was staged in place of what an earlier run had there, and writes `contents` to the
  // mark. Files and folders of other names stay.
  void publish(std::string_view contents);

 private:
  std::filesystem::path folder_;
  std::filesystem::path stage_;
  std::string mark_;
};

}  // namespace dualdepth
