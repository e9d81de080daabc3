#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dualdepth/config/data_options.h"
#include "dualdepth/data/sample.h"

namespace dualdepth {

// Samples by index. load() may be called from several threads at once.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual size_t size() const = 0;

  virtual const std::string& id(size_t index) const = 0;

  // Reads picture and ground truth. Throws Error naming the file.
  virtual Sample load(size_t index) const = 0;

  // The same, but the picture may come smaller where its format can be decoded so, at least as
  // large as `wanted`; ground truth and intrinsics stay those of the full size.
  virtual Sample load_reduced(size_t index, cv::Size wanted) const {
    static_cast<void>(wanted);
    return load(index);
  }

  // Where the classes that the data set knows are seen in a picture; an instance each, by class.
  virtual std::vector<ClassMask> load_class_masks(size_t index) const {
    static_cast<void>(index);
    return {};
  }

  // The files a sample is made of; part of the cache's key.
  virtual std::vector<std::filesystem::path> files(size_t index) const = 0;

  // What data.missing: skip left out, a line each.
  virtual const std::vector<std::string>& missing() const = 0;
};

enum class SplitRole { kTrain, kValidation };

// Opens the data set that the options name. Throws Error when a file is missing (unless
// data.missing is skip) or no sample is left.
std::unique_ptr<Dataset> open_dataset(const DataOptions& options, SplitRole role);

}  // namespace dualdepth
