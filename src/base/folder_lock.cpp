#include "dualdepth/base/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "dualdepth/base/error.h"

namespace dualdepth {

FolderLock::FolderLock(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / ".lock";
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw Error({.subject = file.string(),
                 .expected = "a file that can be written",
                 .got = std::strerror(errno),
                 .fix = ""});
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int code = errno;
  ::close(descriptor_);
  throw Error({.subject = folder.string(),
               .expected = "a folder in which no other process works",
               .got = code == EWOULDBLOCK ? "one that does" : std::strerror(code),
               .fix = "wait for its end, or name another folder"});
}

FolderLock::~FolderLock() { ::close(descriptor_); }

}  // namespace dualdepth
