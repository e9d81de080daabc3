#pragma once

#include <string>
#include <vector>

#include "dualdepth/study/study_config.h"
#include "testing/temp_folder.h"

namespace dualdepth::study::testing {

// A run configuration with data that need not exist, for what does not open it.
inline constexpr const char* kBase = R"(
data:
  root: data
  train_split: train.txt
  val_split: val.txt
  image_shape: [32, 64]
)";

// The study's text as STUDY.yaml beside base.yaml in a folder of its own.
class StudyFile {
 public:
  explicit StudyFile(const std::string& yaml, const std::string& name = "heads.yaml") {
    folder_.write("base.yaml", kBase);
    file_ = folder_.write(name, yaml);
  }

  const std::filesystem::path& file() const { return file_; }
  const dualdepth::testing::TempFolder& folder() const { return folder_; }
  StudyConfig load(const std::vector<std::string>& overrides = {}) const {
    return load_study(file_, overrides);
  }

 private:
  dualdepth::testing::TempFolder folder_;
  std::filesystem::path file_;
};

}  // namespace dualdepth::study::testing
