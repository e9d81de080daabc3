#pragma once

#include <signal.h>
#include <sys/resource.h>

#include <cstddef>

namespace dualdepth::testing {

// While it lives, no file of this process can grow beyond `bytes`: writing fails as on a full disk,
// with EFBIG in place of ENOSPC.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(size_t bytes) : previous_handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &previous_);
    const struct rlimit limit = {.rlim_cur = bytes, .rlim_max = previous_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &previous_);
    ::signal(SIGXFSZ, previous_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*previous_handler_)(int);
  struct rlimit previous_ = {};
};

}  // namespace dualdepth::testing
