#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace dualdepth {

// Whether commit() waits until the bytes are on the disk. kFlushed survives a power cut and costs
// some milliseconds: for checkpoints and what cannot be made again. kBuffered survives the death of
// the process: for pictures by the thousand.
enum class Durability { kFlushed, kBuffered };

// Writes a file that appears whole or not at all: bytes go to a temporary name in the same folder;
// commit() renames them over `path`. Without commit() (an exception, say) the temporary file is
// removed and `path` stays as it was.
// Throws Error naming the path when the folder cannot be written or the disk is full.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path, Durability durability = Durability::kFlushed);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* bytes, size_t count);
  void write(std::string_view text) { write(text.data(), text.size()); }

  // Lets `check` read what was written so far, under a temporary name with the extension of `path`.
  // An Error that it throws names `path` in place of that name.
  void check(const std::function<void(const std::filesystem::path& written)>& check);

  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  Durability durability_;
  int descriptor_ = -1;
};

// AtomicFile in one call.
void write_file_atomically(const std::filesystem::path& path, std::string_view contents);

// Makes `name` a further name of the file `existing` in the same folder (a hard link, or a copy
// where the file system has none), replacing what stood there as AtomicFile does.
void add_name_atomically(const std::filesystem::path& existing, const std::filesystem::path& name);

// Removes the temporary files of AtomicFiles whose process was killed. For folders of large files,
// such as checkpoints; a folder that does not exist has none.
void remove_abandoned_files(const std::filesystem::path& folder);

// Makes the folder and its parents, and proves that a file can be written there.
// Throws Error naming the folder and the system's reason.
void make_writable_folder(const std::filesystem::path& folder);

// The whole file. Throws Error when it is absent, unreadable or longer than `max_bytes`.
std::string read_file(const std::filesystem::path& path, uintmax_t max_bytes = uintmax_t{1} << 31);

}  // namespace dualdepth
