#pragma once

#include <filesystem>
#include <string_view>

namespace dualdepth::synthetic {

// The folder that a synthetic set is written to. A set appears there whole: its files are written
// to a stage inside the folder (which may be a mount point) and moved out of it at the end.
class SetFolder {
 public:
  // Makes the folder. Throws Error when it cannot be written to, or holds anything but an earlier
  // synthetic set, which publish() will replace.
  explicit SetFolder(std::filesystem::path folder);

  // Removes the stage if publish() was not reached.
  ~SetFolder();
  SetFolder(const SetFolder&) = delete;
  SetFolder& operator=(const SetFolder&) = delete;

  // Where to write.
  const std::filesystem::path& stage() const { return stage_; }

  // Puts what was staged in place of what an earlier set had there. `description` is written last,
  // to synthetic.json, the mark of a complete set.
  void publish(std::string_view description);

 private:
  std::filesystem::path folder_;
  std::filesystem::path stage_;
};

}  // namespace dualdepth::synthetic
