#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "dualdepth/data/dataset.h"
#include "dualdepth/data/prepared_sample.h"

namespace dualdepth {

// Keeps prepared samples (picture at network size, depth as a list) between epochs, or between
// runs. An entry is found by its key alone, and the key says everything the entry was made from:
// the path, size and time of change of each file, and the options that shape it. So a file or an
// option that changes is never answered with the old entry. Safe to use from several threads.
class SampleCache {
 public:
  virtual ~SampleCache() = default;
  virtual std::shared_ptr<const PreparedSample> find(const std::string& key) = 0;
  virtual void store(const std::string& key, std::shared_ptr<const PreparedSample> sample) = 0;
};

// data.cache: nothing for none; memory holds all samples (0.4 to 0.6 MB each at 192x640); disk
// writes one file a sample, named by the key's hash, below data.cache_dir (empty:
// $XDG_CACHE_HOME or ~/.cache, there dualdepth/samples), maps it when it is read and verifies that
// it holds the very key. Throws Error when the folder cannot be written.
std::unique_ptr<SampleCache> make_sample_cache(const DataOptions& options);

// Throws Error when one of the sample's files is gone.
std::string cache_key(const Dataset& dataset, size_t index, const DataOptions& options);

}  // namespace dualdepth
