#pragma once

#include <memory>

#include "dualdepth/data/augmentation.h"
#include "dualdepth/data/loader.h"
#include "dualdepth/data/sample_cache.h"

namespace dualdepth {

// From files to one sample's part of a batch: load or take from the cache, prepare, augment.
class SampleMaker {
 public:
  SampleMaker(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options);

  cv::Size size() const;  // of the picture the network sees
  const Dataset& dataset() const { return *dataset_; }

  // Writes the picture to `image`, [H, W, 3] floats, and returns its ground truth. A function of
  // (seed, epoch, index) and the files alone.
  SparseDepth make(size_t index, int64_t epoch, float* image) const;

 private:
  std::shared_ptr<const PreparedSample> prepare(size_t index) const;
  std::shared_ptr<const PreparedSample> prepare_zoomed(size_t index,
                                                       const Augmentation& augmentation) const;
  cv::Rect region_of(const Sample& sample) const;

  const std::shared_ptr<const Dataset> dataset_;
  const LoaderOptions options_;
  const std::unique_ptr<SampleCache> cache_;
};

}  // namespace dualdepth
