#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace dualdepth {

// The instance masks below class_masks folders, class_masks/<class>/<stem>_<digits>.png, each
// folder listed once: it holds the masks of a whole sequence. find() may be called from several
// threads at once.
class ClassMaskIndex {
 public:
  struct File {
    std::string class_name;
    std::filesystem::path path;
  };

  // Of one picture, in any order; none where there is no such folder.
  std::vector<File> find(const std::filesystem::path& class_masks, const std::string& stem);

 private:
  using FilesOfStem = std::unordered_map<std::string, std::vector<File>>;

  std::mutex mutex_;
  std::map<std::filesystem::path, FilesOfStem> folders_;
};

}  // namespace dualdepth
