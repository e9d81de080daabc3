#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dualdepth/data/dataset.h"

namespace dualdepth {

// How often each depth occurs, in steps of 1 cm up to the 256 m that a 16-bit depth PNG can say.
class DepthHistogram {
 public:
  void add(float metres);
  void add(const DepthHistogram& other);

  uint64_t count() const { return count_; }
  double mean() const;

  // Values in [from, to) metres.
  uint64_t count_between(double from, double to) const;

  // The depth below which this share of the values lies, to 1 cm.
  double quantile(double share) const;

 private:
  static constexpr size_t kSteps = 25600;
  std::vector<uint32_t> steps_ = std::vector<uint32_t>(kSteps);
  uint64_t count_ = 0;
  double sum_ = 0;
};

// What a full pass over a data set finds.
struct DataSummary {
  size_t samples = 0;
  std::vector<std::string> missing;             // see Dataset::missing()
  std::vector<std::string> faults;              // what load() said of samples it could not read
  std::vector<std::string> without_depth;       // ids of samples without a valid pixel
  std::map<std::pair<int, int>, size_t> sizes;  // pictures by (width, height)
  uint64_t pixels = 0;                          // of the pictures with ground truth
  DepthHistogram depth;
};

// Reads every sample on `threads` threads, with a progress line of this label.
DataSummary summarize(const Dataset& dataset, int threads, const std::string& label);

}  // namespace dualdepth
