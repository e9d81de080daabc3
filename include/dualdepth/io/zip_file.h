#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct zip;  // of libzip

namespace dualdepth {

struct ZipDiscard {
  void operator()(zip* archive) const;
};

// A zip file that is read.
class ZipReader {
 public:
  // Throws Error for a file that is absent, damaged or no zip.
  explicit ZipReader(const std::filesystem::path& file);

  // In the order of the zip's directory.
  std::vector<std::string> names() const;

  // The unpacked bytes of an entry. Throws Error when it is absent, damaged, or says that it is
  // larger than `max_bytes`.
  std::string read(const std::string& name, uint64_t max_bytes) const;

 private:
  std::filesystem::path file_;
  std::unique_ptr<zip, ZipDiscard> archive_;
};

// A zip file that is written. It appears whole at commit() or not at all, in place of an earlier
// one.
class ZipWriter {
 public:
  explicit ZipWriter(const std::filesystem::path& file);

  // An entry of these bytes, packed.
  void add(const std::string& name, std::string_view bytes);

  // An entry of a file's bytes as they are at commit(), stored: for what is packed already.
  void add_file(const std::string& name, const std::filesystem::path& source);

  // Throws Error naming the file and the reason, such as a full disk.
  void commit();

 private:
  [[noreturn]] void fail() const;

  std::filesystem::path file_;
  std::unique_ptr<zip, ZipDiscard> archive_;
};

}  // namespace dualdepth
