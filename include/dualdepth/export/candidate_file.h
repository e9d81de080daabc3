#pragma once

#include <filesystem>

namespace dualdepth {

// A file beside `out` that becomes it once it has been run and holds, and is removed otherwise.
class CandidateFile {
 public:
  explicit CandidateFile(const std::filesystem::path& out)
      : out_(out), path_(out.parent_path() / (".unchecked-" + out.filename().string())) {}
  ~CandidateFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  CandidateFile(const CandidateFile&) = delete;
  CandidateFile& operator=(const CandidateFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void accept() const { std::filesystem::rename(path_, out_); }

 private:
  std::filesystem::path out_, path_;
};

}  // namespace dualdepth
