#pragma once

#include <cstddef>
#include <filesystem>
#include <opencv2/core/types.hpp>
#include <string>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/config/data_options.h"

namespace dualdepth {

// Listed samples that lack a file, and what data.missing makes of them.
class MissingFiles {
 public:
  // `place` is where the sample is listed, `what` the kind of file, `expected` where it should lie.
  void add(const std::string& place, const std::string& what, const std::string& expected);

  // kError: throws Error with the first one, if there is any. kSkip: logs them. `listed` counts all
  // samples.
  void report(MissingPolicy policy, size_t listed) const;

  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
  ErrorParts first_;
};

// Throws Error about a data set without a sample. `subject`: the split.
void require_samples(size_t found, size_t listed, const std::string& subject);

// Throws Error when a map or mask is not of its picture's size.
void require_size_of_picture(const std::filesystem::path& file, cv::Size size,
                             const std::filesystem::path& picture, cv::Size picture_size);

}  // namespace dualdepth
