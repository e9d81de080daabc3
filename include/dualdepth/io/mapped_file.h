#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace dualdepth {

// A file's bytes, mapped read-only: pages are read when they are touched. They stay valid when
// another file is renamed over the path meanwhile, as AtomicFile does.
class MappedFile {
 public:
  // Throws Error naming the file and the system's reason.
  explicit MappedFile(const std::filesystem::path& file);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace dualdepth
