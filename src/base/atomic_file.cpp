#include "dualdepth/base/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void throw_write_error(const fs::path& path, int code) {
  throw Error({.subject = path.string(),
               .expected = "to write this file",
               .got = std::strerror(code),
               .fix = code == ENOSPC || code == EDQUOT
                          ? "free some disk space; what stood there before is unchanged"
                          : "check the folder and its permissions"});
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

constexpr std::string_view kTemporaryMark = ".dualdepth-tmp-";

// ".NAME.dualdepth-tmp-PROCESS-COUNT" in the folder of `path`.
fs::path temporary_name(const fs::path& path) {
  static std::atomic<unsigned> counter{0};
  return folder_of(path) / ("." + path.filename().string() + std::string(kTemporaryMark) +
                            std::to_string(::getpid()) + "-" + std::to_string(counter++));
}

// An AtomicFile holds a lock on its temporary file, which ends with its process, however that ends.
bool lock(int descriptor) { return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0; }

bool is_abandoned(const fs::path& temporary) {
  const int descriptor = ::open(temporary.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return false;
  const bool abandoned = lock(descriptor);
  ::close(descriptor);
  return abandoned;
}

void flush_folder_of(const fs::path& path) {
  const int folder = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  ::close(folder);
}

}  // namespace

AtomicFile::AtomicFile(fs::path path, Durability durability)
    : path_(std::move(path)), durability_(durability) {
  constexpr mode_t kModeBeforeUmask = 0666;
  do {
    temporary_ = temporary_name(path_);
    descriptor_ =
        ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kModeBeforeUmask);
  } while (descriptor_ < 0 && errno == EEXIST);  // left by a killed process of the same number
  if (descriptor_ < 0) throw_write_error(path_, errno);
  lock(descriptor_);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* bytes, size_t count) {
  const char* next = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::write(descriptor_, next, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_write_error(path_, errno);
    next += written;
    count -= static_cast<size_t>(written);
  }
}

void AtomicFile::check(const std::function<void(const fs::path&)>& check) {
  if (temporary_.extension() != path_.extension()) {
    const fs::path readable = temporary_.string() + path_.extension().string();
    if (::rename(temporary_.c_str(), readable.c_str()) != 0) throw_write_error(path_, errno);
    temporary_ = readable;
  }
  try {
    check(temporary_);
  } catch (const Error& error) {
    std::string message = error.what();
    const std::string hidden = temporary_.string();
    for (size_t at = message.find(hidden); at != std::string::npos; at = message.find(hidden, at)) {
      message.replace(at, hidden.size(), path_.string());
      at += path_.string().size();
    }
    throw Error(message);
  }
}

void AtomicFile::commit() {
  if (durability_ == Durability::kFlushed && ::fsync(descriptor_) != 0)
    throw_write_error(path_, errno);
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) throw_write_error(path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw_write_error(path_, errno);
  temporary_.clear();
  if (durability_ == Durability::kFlushed) flush_folder_of(path_);
}

void write_file_atomically(const fs::path& path, std::string_view contents) {
  AtomicFile file(path);
  file.write(contents);
  file.commit();
}

void add_name_atomically(const fs::path& existing, const fs::path& name) {
  const fs::path temporary = temporary_name(name);
  if (::link(existing.c_str(), temporary.c_str()) != 0) {
    AtomicFile copy(name);
    copy.write(read_file(existing, std::numeric_limits<uintmax_t>::max()));
    return copy.commit();
  }
  const int renamed = ::rename(temporary.c_str(), name.c_str());
  const int code = errno;
  ::unlink(temporary.c_str());  // rename() leaves it where both were names of one file already
  if (renamed != 0) throw_write_error(name, code);
  flush_folder_of(name);
}

void remove_abandoned_files(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool is_temporary =
        name.starts_with('.') && name.find(kTemporaryMark) != std::string::npos;
    if (is_temporary && is_abandoned(entry.path())) fs::remove(entry.path(), ignored);
  }
}

void make_writable_folder(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code || !fs::is_directory(folder) || ::access(folder.c_str(), W_OK | X_OK) != 0) {
    const std::string reason = code                       ? code.message()
                               : fs::is_directory(folder) ? "no permission to write there"
                                                          : "something else of that name";
    throw Error({.subject = folder.string(),
                 .expected = "a folder to write to",
                 .got = reason,
                 .fix = "choose another folder or change its permissions"});
  }
}

std::string read_file(const fs::path& path, uintmax_t max_bytes) {
  const auto fail = [&](const std::string& reason) {
    throw Error({.subject = path.string(),
                 .expected = "a file that can be read",
                 .got = reason,
                 .fix = ""});
  };
  std::error_code code;
  if (fs::is_directory(path, code)) fail("a folder");
  const uintmax_t size = fs::file_size(path, code);
  if (code) fail(code.message());
  std::ifstream stream(path, std::ios::binary);
  if (!stream) fail(std::strerror(errno));
  if (size > max_bytes) {
    throw Error({.subject = path.string(),
                 .expected = "at most " + std::to_string(max_bytes) + " bytes",
                 .got = std::to_string(size),
                 .fix = ""});
  }
  std::string contents(size, '\0');
  stream.read(contents.data(), static_cast<std::streamsize>(size));
  if (!stream) fail("only " + std::to_string(stream.gcount()) + " bytes of it");
  return contents;
}

}  // namespace dualdepth
