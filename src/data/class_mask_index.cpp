#include "class_mask_index.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

// STEM of STEM_<digits>; empty for another name.
std::string stem_of_instance(const std::string& name) {
  const size_t last = name.find_last_not_of("0123456789");
  const bool is_instance = last != std::string::npos && last + 1 < name.size() && name[last] == '_';
  return is_instance ? name.substr(0, last) : "";
}

}  // namespace

std::vector<ClassMaskIndex::File> ClassMaskIndex::find(const fs::path& class_masks,
                                                       const std::string& stem) {
  const std::lock_guard lock(mutex_);
  const auto [position, is_new] = folders_.try_emplace(class_masks);
  FilesOfStem& files_of = position->second;
  if (is_new && fs::is_directory(class_masks)) {
    for (const fs::directory_entry& of_class : fs::directory_iterator(class_masks)) {
      if (!of_class.is_directory()) continue;
      // Instances count from any number, and some may be absent.
      for (const fs::directory_entry& file : fs::directory_iterator(of_class.path())) {
        if (file.path().extension() != ".png") continue;
        const std::string of = stem_of_instance(file.path().stem().string());
        if (of.empty()) continue;
        files_of[of].push_back({of_class.path().filename().string(), file.path()});
      }
    }
  }
  const auto found = files_of.find(stem);
  return found == files_of.end() ? std::vector<File>{} : found->second;
}

}  // namespace dualdepth
