#include "dualdepth/io/zip_file.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_open(const fs::path& file, const char* expected, int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  throw Error({.subject = file.string(), .expected = expected, .got = reason, .fix = ""});
}

}  // namespace

void ZipDiscard::operator()(zip* archive) const { zip_discard(archive); }

ZipReader::ZipReader(const fs::path& file) : file_(file) {
  int code = 0;
  archive_.reset(zip_open(file.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
  if (!archive_) fail_open(file, "a zip file", code);
}

std::vector<std::string> ZipReader::names() const {
  std::vector<std::string> names;
  const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* name = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(i), 0);
    names.emplace_back(name == nullptr ? "" : name);
  }
  return names;
}

std::string ZipReader::read(const std::string& name, uint64_t max_bytes) const {
  const std::string subject = file_.string() + ": " + name;
  zip_stat_t status;
  if (zip_stat(archive_.get(), name.c_str(), 0, &status) != 0 ||
      (status.valid & ZIP_STAT_SIZE) == 0) {
    throw Error({.subject = subject,
                 .expected = "an entry of this name",
                 .got = zip_strerror(archive_.get()),
                 .fix = ""});
  }
  if (status.size > max_bytes) {
    throw Error({.subject = subject,
                 .expected = fmt::format("at most {} bytes", max_bytes),
                 .got = std::to_string(status.size),
                 .fix = ""});
  }
  std::string bytes(status.size, '\0');
  zip_file_t* entry = zip_fopen(archive_.get(), name.c_str(), 0);
  const zip_int64_t got = entry == nullptr ? -1 : zip_fread(entry, bytes.data(), bytes.size());
  // The checksum is held against the bytes when the end is reached, and told when it is closed.
  char beyond = 0;
  const bool ended = got >= 0 && zip_fread(entry, &beyond, 1) == 0;
  const bool closed = entry != nullptr && zip_fclose(entry) == 0;
  if (!ended || !closed || static_cast<uint64_t>(got) != status.size) {
    throw Error({.subject = subject,
                 .expected = fmt::format("{} bytes", status.size),
                 .got = "a damaged entry",
                 .fix = ""});
  }
  return bytes;
}

ZipWriter::ZipWriter(const fs::path& file) : file_(file) {
  int code = 0;
  archive_.reset(zip_open(file.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
  if (!archive_) fail_open(file, "a zip file to write", code);
}

void ZipWriter::fail() const {
  throw Error({.subject = file_.string(),
               .expected = "to write a zip file",
               .got = zip_strerror(archive_.get()),
               .fix = ""});
}

void ZipWriter::add(const std::string& name, std::string_view bytes) {
  void* copy = std::malloc(std::max<size_t>(bytes.size(), 1));
  if (copy == nullptr) throw std::bad_alloc();
  std::memcpy(copy, bytes.data(), bytes.size());
  zip_source_t* source = zip_source_buffer(archive_.get(), copy, bytes.size(), /*freep=*/1);
  if (source == nullptr) {
    std::free(copy);
    fail();
  }
  if (zip_file_add(archive_.get(), name.c_str(), source, ZIP_FL_ENC_UTF_8) < 0) {
    zip_source_free(source);
    fail();
  }
}

void ZipWriter::add_file(const std::string& name, const fs::path& source_file) {
  zip_source_t* source = zip_source_file(archive_.get(), source_file.c_str(), 0, -1);
  if (source == nullptr) fail();
  const zip_int64_t index = zip_file_add(archive_.get(), name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    fail();
  }
  const auto entry = static_cast<zip_uint64_t>(index);
  if (zip_set_file_compression(archive_.get(), entry, ZIP_CM_STORE, 0) != 0) fail();
}

// libzip writes beside the file under another name and renames.
void ZipWriter::commit() {
  zip* const archive = archive_.release();
  if (zip_close(archive) == 0) return;
  archive_.reset(archive);
  fail();
}

}  // namespace dualdepth
