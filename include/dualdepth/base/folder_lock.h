#pragma once

#include <filesystem>

namespace dualdepth {

// While one lives, this process is the only one that works in a folder: it holds an advisory lock
// (flock) on the file FOLDER/.lock, which the system releases when the process ends in any way.
class FolderLock {
 public:
  // The folder exists. Throws Error naming it when another process holds the lock or the file
  // cannot be made.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace dualdepth
